using System.Globalization;

namespace Millrace.Protocol.Generator.Schema;

/// <summary>A schema's line, cut into words that are taken from left to right.</summary>
internal sealed class SchemaLine
{
    private readonly string[] _words;
    private int _next;

    public SchemaLine(int number, string text, string? documentation)
    {
        Number = number;
        Documentation = documentation;
        Indent = text.Length - text.TrimStart(' ').Length;
        _words = text.Split([' '], StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Counted from zero.</summary>
    public int Number { get; }

    public int Indent { get; }

    public string? Documentation { get; }

    public bool AtEnd => _next == _words.Length;

    public string Take(string what) =>
        AtEnd ? throw new SchemaException(Number, $"{what} is missing") : _words[_next++];

    public Versions TakeVersions(string what)
    {
        var word = Take(what);
        return Versions.TryParse(word, out var versions) ? versions : throw new SchemaException(Number, $"'{word}' is not {what}");
    }

    public short TakeNumber(string what)
    {
        var word = Take(what);
        return short.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new SchemaException(Number, $"'{word}' is not {what}");
    }

    public SchemaException Unknown(string word) => new(Number, $"'{word}' is not known here");
}
