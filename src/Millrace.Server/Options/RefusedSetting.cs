namespace Millrace.Server.Options;

/// <summary>A key of Kafka's that would change what clients or operators may rely on, and whose promise cannot be kept yet.</summary>
/// <param name="Key">Its name; one that ends in a dot stands for all that begin with it.</param>
/// <param name="Advice">What is not there, and what to do instead.</param>
/// <param name="Harmless">Values that ask for nothing; an empty one always does.</param>
internal sealed record RefusedSetting(string Key, string Advice, params string[] Harmless)
{
    public bool Allows(string value) => value.Length == 0 || Harmless.Contains(value, StringComparer.OrdinalIgnoreCase);
}
