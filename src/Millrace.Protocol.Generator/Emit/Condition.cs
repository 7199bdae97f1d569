using Millrace.Protocol.Generator.Schema;

namespace Millrace.Protocol.Generator.Emit;

/// <summary>Says in C# whether <c>version</c> lies in a range, given the range it is known to lie in.</summary>
internal static class Condition
{
    public const string Always = "true";
    public const string Never = "false";

    public static string For(Versions wanted, Versions known)
    {
        var both = wanted.Intersect(known);
        if (both.IsEmpty)
        {
            return Never;
        }

        var low = both.Min > known.Min;
        var high = both.Max < known.Max;
        return (low, high) switch
        {
            (false, false) => Always,
            _ when both.Min == both.Max => $"version == {both.Min}",
            (true, false) => $"version >= {both.Min}",
            (false, true) => $"version <= {both.Max}",
            _ => $"version is >= {both.Min} and <= {both.Max}",
        };
    }
}
