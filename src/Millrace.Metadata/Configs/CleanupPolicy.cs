namespace Millrace.Metadata.Configs;

/// <summary>What becomes of a topic's old records: the values of <c>cleanup.policy</c>.</summary>
public static class CleanupPolicy
{
    /// <summary>Records go by age and by size.</summary>
    public const string Delete = "delete";

    /// <summary>Of each key the newest record stays.</summary>
    public const string Compact = "compact";

    /// <summary>Whether a value, a list, names a policy. An empty list names none: nothing ever goes.</summary>
    public static bool Names(string value, string policy) => ConfigDefinition.ListItems(value).Contains(policy);

    /// <summary>What is wrong with one item of a value, or null.</summary>
    public static string? Check(string item) => item is Delete or Compact ? null : $"String must be one of: {Compact}, {Delete}";
}
