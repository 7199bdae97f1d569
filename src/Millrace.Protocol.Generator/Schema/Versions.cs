using System.Globalization;

namespace Millrace.Protocol.Generator.Schema;

/// <summary>
/// A range of versions as schemas write it: <c>none</c>, <c>3</c>, <c>0-4</c> or <c>2+</c>. Empty when <see cref="Min"/> exceeds <see cref="Max"/>.
/// </summary>
internal readonly struct Versions(short min, short max) : IEquatable<Versions>
{
    public static readonly Versions None = new(0, -1);

    public short Min { get; } = min;

    public short Max { get; } = max;

    public bool IsEmpty => Min > Max;

    public bool Contains(short version) => version >= Min && version <= Max;

    public bool Covers(Versions other) => other.IsEmpty || (Min <= other.Min && Max >= other.Max);

    public Versions Intersect(Versions other) => new(Math.Max(Min, other.Min), Math.Min(Max, other.Max));

    /// <summary>The smallest range that holds both.</summary>
    public Versions Hull(Versions other) =>
        IsEmpty ? other : other.IsEmpty ? this : new(Math.Min(Min, other.Min), Math.Max(Max, other.Max));

    /// <summary>What is left of this range below the start of another one that reaches at least as far up.</summary>
    public Versions Below(Versions other) => other.IsEmpty ? this : new(Min, Math.Min(Max, (short)(other.Min - 1)));

    public static bool TryParse(string text, out Versions versions)
    {
        versions = None;
        if (text == "none")
        {
            return true;
        }

        var dash = text.IndexOf('-');
        var first = dash >= 0 ? text.Substring(0, dash) : text.TrimEnd('+');
        var last = dash >= 0 ? text.Substring(dash + 1) : first;
        if (!TryParseNumber(first, out var min) || !TryParseNumber(last, out var max))
        {
            return false;
        }

        versions = new(min, dash < 0 && text.EndsWith("+", StringComparison.Ordinal) ? short.MaxValue : max);
        return true;
    }

    public bool Equals(Versions other) => Min == other.Min && Max == other.Max;

    public override bool Equals(object? obj) => obj is Versions other && Equals(other);

    public override int GetHashCode() => (Min << 16) ^ Max;

    public override string ToString() =>
        IsEmpty ? "none" : Min == Max ? $"{Min}" : Max == short.MaxValue ? $"{Min}+" : $"{Min}-{Max}";

    private static bool TryParseNumber(string text, out short number) =>
        short.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
