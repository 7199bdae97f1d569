using System.Text.Json.Nodes;

namespace Millrace.Server.Cli;

/// <summary>
/// A command's result: rows with named columns, each of which says what it is about. A table on a terminal, tab-separated lines in
/// a pipe, an object a line with <c>--json</c>, so that people and scripts read the same facts.
/// </summary>
internal sealed class Report(params string[] columns)
{
    private readonly List<JsonNode?[]> _rows = [];

    /// <summary>Adds a row, a value for each column: strings, numbers, booleans, null, or arrays of them.</summary>
    public Report Add(params JsonNode?[] values)
    {
        if (values.Length != columns.Length)
        {
            throw new ArgumentException($"{values.Length} values for {columns.Length} columns", nameof(values));
        }

        _rows.Add(values);
        return this;
    }

    public bool IsEmpty => _rows.Count == 0;

    public void Write(bool json)
    {
        if (json)
        {
            Write(ToJson().Select(JsonLine.From));
        }
        else if (Console.IsOutputRedirected)
        {
            Write(_rows.Select(row => string.Join('\t', row.Select(Text))));
        }
        else
        {
            var lines = ToTable();
            Write([Terminal.Heading(lines[0]), .. lines[1..]]);
        }
    }

    public IEnumerable<JsonObject> ToJson() => _rows.Select(row =>
        new JsonObject(columns.Zip(row, (column, value) => KeyValuePair.Create(JsonName(column), value?.DeepClone()))));

    /// <summary>Columns under their names. A row is a line, however long: what a terminal wraps can still be copied.</summary>
    public string[] ToTable()
    {
        List<string[]> lines = [[.. columns.Select(column => column.ToUpperInvariant())], .. _rows.Select(row => row.Select(Text).ToArray())];
        var widths = columns.Select((_, column) => lines.Max(line => line[column].Length)).ToArray();
        return [.. lines.Select(line => string.Join("  ", line.Select((text, column) => text.PadRight(widths[column]))).TrimEnd())];
    }

    private static void Write(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            Console.Out.WriteLine(line);
        }
    }

    private static string Text(JsonNode? value) => value switch
    {
        null => "-",
        JsonArray list => string.Join(',', list.Select(Text)),
        _ => value.ToString(),
    };

    // "Log end offset" becomes "logEndOffset".
    private static string JsonName(string column)
    {
        var words = column.Split(' ', '-');
        return string.Concat(words.Select((word, i) => i == 0 ? word.ToLowerInvariant() : char.ToUpperInvariant(word[0]) + word[1..]));
    }
}
