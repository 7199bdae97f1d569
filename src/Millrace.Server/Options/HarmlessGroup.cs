namespace Millrace.Server.Options;

/// <summary>Keys of other systems that are accepted and change nothing, for one and the same reason.</summary>
/// <param name="Why">What takes care of the matter here, in a few words.</param>
/// <param name="Keys">Names; one that ends in a dot stands for all that begin with it.</param>
internal sealed record HarmlessGroup(string Why, params string[] Keys)
{
    public bool Holds(string key) => Keys.Any(known => Matches(known, key));

    /// <summary>Whether an entry of a table means a key: the same name, or one that begins with a name that ends in a dot.</summary>
    public static bool Matches(string known, string key) =>
        known.EndsWith('.') ? key.StartsWith(known, StringComparison.Ordinal) : key == known;
}
