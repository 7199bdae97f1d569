using System.Globalization;
using System.Text;

namespace Millrace.Server.Options;

/// <summary>
/// Reads <c>server.properties</c> in the format of Java: <c>key=value</c>, <c>key: value</c> or <c>key value</c>, comments
/// with # or !, a backslash at the end of a line joins it to the next, and backslash escapes.
/// </summary>
internal static class PropertiesFile
{
    public static IReadOnlyList<KeyValuePair<string, string>> Parse(string text)
    {
        var entries = new List<KeyValuePair<string, string>>();
        foreach (var line in LogicalLines(text))
        {
            var end = KeyEnd(line);
            var rest = line.AsSpan(end).TrimStart(" \t\f");
            if (rest.StartsWith("=") || rest.StartsWith(":"))
            {
                rest = rest[1..].TrimStart(" \t\f");
            }

            // Java keeps blanks at the end of a value; nobody means them, and Kafka's own parser trims.
            entries.Add(KeyValuePair.Create(Unescape(line.AsSpan(0, end)), Unescape(rest).Trim()));
        }

        return entries;
    }

    private static IEnumerable<string> LogicalLines(string text)
    {
        var line = new StringBuilder();
        foreach (var natural in text.ReplaceLineEndings("\n").Split('\n'))
        {
            var part = natural.TrimStart(' ', '\t', '\f');
            if (line.Length == 0 && (part.Length == 0 || part[0] is '#' or '!'))
            {
                continue;
            }

            var backslashes = part.Length - part.TrimEnd('\\').Length;
            if (backslashes % 2 == 1)
            {
                line.Append(part, 0, part.Length - 1);
                continue;
            }

            yield return line.Append(part).ToString();
            line.Clear();
        }

        if (line.Length > 0)
        {
            yield return line.ToString();
        }
    }

    private static int KeyEnd(string line)
    {
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '\\')
            {
                i++;
            }
            else if (line[i] is '=' or ':' or ' ' or '\t' or '\f')
            {
                return i;
            }
        }

        return line.Length;
    }

    private static string Unescape(ReadOnlySpan<char> text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || ++i == text.Length)
            {
                result.Append(i < text.Length ? text[i] : '\\');
                continue;
            }

            if (text[i] == 'u' && i + 4 < text.Length
                && ushort.TryParse(text.Slice(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            {
                result.Append((char)code);
                i += 4;
                continue;
            }

            result.Append(text[i] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'f' => '\f', var other => other });
        }

        return result.ToString();
    }
}
