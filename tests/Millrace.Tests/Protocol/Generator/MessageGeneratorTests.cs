using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;
using Millrace.Protocol.Generator;
using Xunit;

namespace Millrace.Tests.Protocol.Generator;

public sealed class MessageGeneratorTests
{
    private const string First = "record FirstRecord  id 1  versions 0  flexible 0+\n  Name  string  0+\n";
    private const string Second = "record SecondRecord  id 2  versions 0  flexible 0+\n  Name  string  0+\n";

    [Fact]
    public void An_edit_regenerates_one_message_and_no_table()
    {
        var first = new SchemaText("a/First.kmsg", First);
        var driver = Driver(first, new SchemaText("a/Second.kmsg", Second)).RunGenerators(Compilation());
        driver = driver.ReplaceAdditionalText(first, new SchemaText("a/First.kmsg", First + "  Size  int32  0+\n")).RunGenerators(Compilation());
        var reasons = driver.GetRunResult().Results.Single().TrackedOutputSteps.Values
            .SelectMany(steps => steps)
            .SelectMany(step => step.Outputs)
            .Select(output => output.Reason)
            .ToArray();
        Assert.Equal(3, reasons.Length);
        Assert.Single(reasons, IncrementalStepRunReason.Modified);
        Assert.Equal(2, reasons.Count(reason => reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged));
    }

    [Fact]
    public void A_malformed_schema_is_an_error_at_its_line()
    {
        var result = Driver(new SchemaText("a/First.kmsg", First + "  Size  int99  0+\n"), new SchemaText("a/Second.kmsg", Second))
            .RunGenerators(Compilation()).GetRunResult();
        var error = Assert.Single(result.Diagnostics);
        var place = error.Location.GetLineSpan();
        Assert.Equal(("MILL0001", "'int99' is no type", "a/First.kmsg", 2), (error.Id, error.GetMessage(), place.Path, place.StartLinePosition.Line));
        Assert.Equal(["RecordTypes.g.cs", "SecondRecord.g.cs"], result.Results.Single().GeneratedSources.Select(source => source.HintName).Order());
    }

    private static GeneratorDriver Driver(params AdditionalText[] schemas) =>
        CSharpGeneratorDriver.Create(
            [new MessageGenerator().AsSourceGenerator()],
            [.. schemas],
            driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    private static CSharpCompilation Compilation() => CSharpCompilation.Create("Sample", syntaxTrees: ImmutableArray<SyntaxTree>.Empty);

    private sealed class SchemaText(string path, string text) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
    }
}
