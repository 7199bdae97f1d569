using System.Globalization;

namespace Millrace.Protocol.Generator.Emit;

/// <summary>Writes what spans all APIs: their keys, and the table of their versions.</summary>
internal static class ApiTableEmitter
{
    public static string EmitKeys(IEnumerable<ApiSummary> apis, string rootNamespace)
    {
        var code = new CodeWriter();
        MessageEmitter.Header(code, rootNamespace, "the first lines of the API schemas");
        code.Summary("Names an API on the wire.");
        code.Open("public enum ApiKey : short");
        foreach (var api in apis)
        {
            code.Line($"{api.Name} = {api.Number},");
        }

        code.Close();
        return code.ToString();
    }

    public static string EmitTable(IReadOnlyList<ApiSummary> apis, string rootNamespace)
    {
        var code = new CodeWriter();
        MessageEmitter.Header(code, rootNamespace, "the first lines of the API schemas");
        code.Summary("Every API that has a schema, and the codecs of their messages by key.");
        code.Open("public static partial class ApiMessages");
        code.Summary("In order of their keys.");
        code.Line("public static IReadOnlyList<ApiMessage> All { get; } =");
        code.Line("[");
        code.Indent();
        foreach (var api in apis)
        {
            code.Line(Entry(api));
        }

        code.Unindent();
        code.Line("];");
        code.Line();
        EmitReader(code, apis, "Request");
        code.Line();
        EmitReader(code, apis, "Response");
        code.Close();
        return code.ToString();
    }

    private static string Entry(ApiSummary api)
    {
        var flexible = api.Flexible.IsEmpty ? "null" : api.Flexible.Min.ToString(CultureInfo.InvariantCulture);
        var listeners = string.Join(" | ", api.Listeners.Split(',').Select(name => $"ApiListeners.{char.ToUpperInvariant(name[0])}{name.Substring(1)}"));
        return $"new(ApiKey.{api.Name}, new({api.Versions.Min}, {api.Versions.Max}), {flexible}, {listeners}, "
            + $"LatestUnstable: {(api.LatestUnstable ? "true" : "false")}),";
    }

    private static void EmitReader(CodeWriter code, IReadOnlyList<ApiSummary> apis, string half)
    {
        code.Summary($"Reads the {half.ToLowerInvariant()} of any API.");
        code.Line("/// <exception cref=\"ProtocolException\">The key is unknown, the version is not supported, or the bytes are malformed.</exception>");
        code.Open($"public static IMessage Read{half}(ApiKey key, ref KafkaReader reader, short version)");
        code.Open("switch (key)");
        foreach (var api in apis)
        {
            code.Line($"case ApiKey.{api.Name}:");
            code.Indent();
            code.Line($"return {api.Name}{half}.Read(ref reader, version);");
            code.Unindent();
        }

        code.Line("default:");
        code.Indent();
        code.Line("throw new ProtocolException($\"There is no API with key {(short)key}\");");
        code.Unindent();
        code.Close();
        code.Close();
    }
}
