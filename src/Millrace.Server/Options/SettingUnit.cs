using Millrace.Metadata.Configs;

namespace Millrace.Server.Options;

/// <summary>What a setting's number counts. The last part of its name says so.</summary>
internal static class SettingUnit
{
    private static readonly (string Ending, string Unit)[] All =
        [(".ms", "ms"), (".bytes", "bytes"), (".minutes", "minutes"), (".hours", "hours"), (".ratio", "0 to 1"), (".rate", "bytes/s")];

    /// <summary>Null for what is no number, or just a number.</summary>
    public static string? Of(ConfigDefinition setting) =>
        All.FirstOrDefault(unit => setting.Name.EndsWith(unit.Ending, StringComparison.Ordinal)).Unit;
}
