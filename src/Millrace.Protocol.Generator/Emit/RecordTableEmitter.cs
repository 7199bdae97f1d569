namespace Millrace.Protocol.Generator.Emit;

/// <summary>Writes the table of a project's records by their ids.</summary>
internal static class RecordTableEmitter
{
    public static string Emit(IEnumerable<ApiSummary> records, string rootNamespace)
    {
        var code = new CodeWriter();
        MessageEmitter.Header(code, rootNamespace, "the first lines of the record schemas");
        code.Summary("Every kind of record, by id.");
        code.Open("public static partial class RecordTypes");
        code.Summary("Reads a record of any kind; null when the id is not known, in which case nothing is consumed.");
        code.Line("/// <exception cref=\"ProtocolException\">The version is not supported, or the bytes are malformed.</exception>");
        code.Open("public static IRecord? Read(short id, ref KafkaReader reader, short version)");
        code.Open("switch (id)");
        foreach (var record in records)
        {
            code.Line($"case {record.Name}.RecordId:");
            code.Indent();
            code.Line($"return {record.Name}.Read(ref reader, version);");
            code.Unindent();
        }

        code.Line("default:");
        code.Indent();
        code.Line("return null;");
        code.Unindent();
        code.Close();
        code.Close();
        code.Close();
        return code.ToString();
    }
}
