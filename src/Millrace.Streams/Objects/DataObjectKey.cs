using System.Globalization;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Objects;

/// <summary>
/// The keys of data objects: <c>data/SS/IIIIIIIIIIIIIIII</c>. I is the object id in hex; S, two hex digits mixed from it,
/// spreads neighbouring ids over prefixes, since object stores scale by prefix.
/// </summary>
public static class DataObjectKey
{
    /// <summary>The prefix of all data objects.</summary>
    public const string Prefix = "data/";

    public static string Of(ObjectId id) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Spread(id.Value):x2}/{id.Value:x16}");

    /// <summary>The id that a key names, or null if it is no data object's key.</summary>
    public static ObjectId? Parse(string key)
    {
        var expected = Prefix.Length + 3 + 16;
        return key.Length == expected
            && long.TryParse(key.AsSpan(Prefix.Length + 3), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            && Of(new ObjectId(value)) == key
                ? new ObjectId(value)
                : null;
    }

    // The top byte of a multiplication by 2^64 / golden ratio: consecutive ids land far apart.
    private static byte Spread(long id) => (byte)(((ulong)id * 0x9E3779B97F4A7C15) >> 56);
}
