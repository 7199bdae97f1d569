using System.Globalization;

namespace Millrace.Runtime;

/// <summary>
/// A URI that names a store or a WAL and its settings: <c>scheme://authority/path?key=value</c>, or a bare word. Every
/// setting has to be taken, so that a misspelt one is reported instead of ignored.
/// </summary>
public sealed class ComponentUri
{
    private readonly string _text;
    private readonly SortedDictionary<string, string> _settings = new(StringComparer.Ordinal);

    private ComponentUri(string text)
    {
        var (address, query) = Split(text, "?");

        // The query of a refused URI may hold a secret, and so may what stands before an '@': no message repeats them.
        var at = address.LastIndexOf('@');
        _text = at < 0 ? address : Split(address, ":").Before + "://***" + address[at..];
        var (scheme, rest) = Split(address, ":");
        Scheme = scheme;
        if (rest.StartsWith("//", StringComparison.Ordinal))
        {
            var (authority, path) = Split(rest[2..], "/");
            Authority = authority;
            Path = rest.Length > 2 + authority.Length ? "/" + Uri.UnescapeDataString(path) : "";
        }
        else
        {
            Authority = "";
            Path = Uri.UnescapeDataString(rest);
        }

        foreach (var setting in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = Split(setting, "=");
            if (!_settings.TryAdd(Uri.UnescapeDataString(key), Uri.UnescapeDataString(value)))
            {
                throw Refuse($"names '{key}' twice");
            }
        }
    }

    public string Scheme { get; }

    public string Authority { get; }

    /// <summary>With its leading slash, unescaped; empty if there is none.</summary>
    public string Path { get; }

    /// <exception cref="FormatException">It is no such URI. The message says what is wrong and holds no part that could be secret.</exception>
    public static ComponentUri Parse(string text) => new(text);

    /// <summary>The value of a setting, or null.</summary>
    public string? Take(string key) => _settings.Remove(key, out var value) ? value : null;

    /// <exception cref="FormatException">Neither true nor false.</exception>
    public bool? TakeFlag(string key) => Take(key) switch
    {
        null => null,
        "true" => true,
        "false" => false,
        _ => throw Refuse($"wants '{key}' to be true or false"),
    };

    /// <summary>How many of something: a number of at least one.</summary>
    /// <exception cref="FormatException">Anything else.</exception>
    public int? TakeCount(string key) => Take(key) switch
    {
        null => null,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 => count,
        _ => throw Refuse($"wants '{key}' to be a number, such as 1000"),
    };

    /// <summary>Bytes: a number, or one with KiB, MiB or GiB behind it.</summary>
    /// <exception cref="FormatException">Anything else.</exception>
    public long? TakeBytes(string key)
    {
        if (Take(key) is not { } text)
        {
            return null;
        }

        var digits = text.TrimEnd("BGiKM".ToCharArray());
        long? unit = text[digits.Length..] switch { "" => 1, "KiB" => 1 << 10, "MiB" => 1 << 20, "GiB" => 1 << 30, _ => null };
        return long.TryParse(digits, out var number) && number > 0 && unit is { } factor && number <= long.MaxValue / factor
            ? number * factor
            : throw Refuse($"wants '{key}' to be a number of bytes, or of KiB, MiB or GiB, such as 512MiB");
    }

    /// <param name="known">All settings that there are, for the message.</param>
    /// <exception cref="FormatException">It has a setting that nobody took.</exception>
    public void CheckAllTaken(params string[] known)
    {
        if (_settings.Count > 0)
        {
            var choice = known.Length == 0 ? "it takes none" : "it takes " + string.Join(", ", known);
            throw Refuse($"has an unknown setting '{_settings.Keys.First()}': {choice}");
        }
    }

    /// <summary>The exception for a URI that cannot be used.</summary>
    public FormatException Refuse(string what) => new($"'{_text}' {what}");

    public override string ToString() => _text;

    private static (string Before, string After) Split(string text, string separator)
    {
        var at = text.IndexOf(separator, StringComparison.Ordinal);
        return at < 0 ? (text, "") : (text[..at], text[(at + separator.Length)..]);
    }
}
