using System.Collections.Immutable;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using Millrace.Protocol.Generator.Emit;
using Millrace.Protocol.Generator.Schema;

namespace Millrace.Protocol.Generator;

/// <summary>
/// Turns a project's <c>.kmsg</c> files into codecs, in the project's root namespace. Each file is an input of its
/// own, so that an edit regenerates one message; only the first lines of all files are looked at together.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class MessageGenerator : IIncrementalGenerator
{
    private static readonly DiagnosticDescriptor MalformedSchema = new(
        "MILL0001", "Malformed schema", "{0}", "Millrace.Protocol", DiagnosticSeverity.Error, isEnabledByDefault: true);

    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var rootNamespace = context.AnalyzerConfigOptionsProvider.Select(static (options, _) =>
            options.GlobalOptions.TryGetValue("build_property.RootNamespace", out var value) && value.Length > 0
                ? value
                : MessageEmitter.ProtocolNamespace);
        var files = context.AdditionalTextsProvider
            .Where(static file => file.Path.EndsWith(".kmsg", StringComparison.OrdinalIgnoreCase))
            .Select(static (file, token) => (file.Path, Text: file.GetText(token)?.ToString() ?? ""));

        context.RegisterSourceOutput(files.Combine(rootNamespace), static (output, input) =>
            EmitMessages(output, input.Left.Path, input.Left.Text, input.Right));

        var summaries = files
            .Select(static (file, _) => Summarize(file.Text))
            .Where(static summary => summary is not null)
            .Collect()
            .WithComparer(SummaryComparer.Instance);
        context.RegisterSourceOutput(summaries.Combine(rootNamespace), static (output, input) =>
            EmitTables(output, input.Left, input.Right));
    }

    private static void EmitMessages(SourceProductionContext output, string path, string text, string rootNamespace)
    {
        try
        {
            foreach (var message in SchemaParser.Parse(text).Messages)
            {
                var source = MessageEmitter.Emit(message, rootNamespace, Path.GetFileName(path));
                output.AddSource($"{message.Name}.g.cs", SourceText.From(source, Encoding.UTF8));
            }
        }
        catch (SchemaException e)
        {
            var line = new LinePosition(e.Line, 0);
            var location = Location.Create(path, default, new LinePositionSpan(line, line));
            output.ReportDiagnostic(Diagnostic.Create(MalformedSchema, location, e.Message));
        }
    }

    /// <summary>Null for what no table shows, and for a malformed schema, which its own output reports.</summary>
    private static ApiSummary? Summarize(string text)
    {
        try
        {
            return ApiSummary.Of(SchemaParser.Parse(text));
        }
        catch (SchemaException)
        {
            return null;
        }
    }

    private static void EmitTables(SourceProductionContext output, ImmutableArray<ApiSummary?> summaries, string rootNamespace)
    {
        var sorted = summaries.OfType<ApiSummary>().OrderBy(summary => summary.Number).ToArray();
        var apis = sorted.Where(summary => summary.IsApi).ToArray();
        var records = sorted.Where(summary => !summary.IsApi).ToArray();
        // The protocol's keys are an enumeration of the protocol's own project; other projects only add numbers to it.
        if (apis.Length > 0 && rootNamespace == MessageEmitter.ProtocolNamespace)
        {
            output.AddSource("ApiKey.g.cs", SourceText.From(ApiTableEmitter.EmitKeys(apis, rootNamespace), Encoding.UTF8));
            output.AddSource("ApiMessages.g.cs", SourceText.From(ApiTableEmitter.EmitTable(apis, rootNamespace), Encoding.UTF8));
        }

        if (records.Length > 0)
        {
            output.AddSource("RecordTypes.g.cs", SourceText.From(RecordTableEmitter.Emit(records, rootNamespace), Encoding.UTF8));
        }
    }

    private sealed class SummaryComparer : IEqualityComparer<ImmutableArray<ApiSummary?>>
    {
        public static readonly SummaryComparer Instance = new();

        public bool Equals(ImmutableArray<ApiSummary?> x, ImmutableArray<ApiSummary?> y) => x.SequenceEqual(y);

        public int GetHashCode(ImmutableArray<ApiSummary?> obj) => obj.Length;
    }
}
