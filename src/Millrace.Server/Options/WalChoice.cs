using Millrace.Metadata.Configs;

namespace Millrace.Server.Options;

/// <summary>Where write-ahead logs lie if nobody has said it: beside a local store in a file, and else in the store, which outlives the machine.</summary>
internal static class WalChoice
{
    public const string InStore = "object";

    /// <summary>The store is a directory of this machine, as it is by default.</summary>
    public static bool IsStoreHere(NodeSettings settings) =>
        settings[ServerSettings.Store].Value is not { } store || store.StartsWith($"{Uri.UriSchemeFile}:", StringComparison.OrdinalIgnoreCase);

    /// <summary>What is acknowledged lies in the store at once, whatever topics ask for.</summary>
    public static bool IsInStore(NodeSettings settings) =>
        Chosen(settings) is { } wals ? wals.All(wal => wal == InStore || wal.StartsWith($"{InStore}?", StringComparison.Ordinal)) : !IsStoreHere(settings);

    /// <summary>The WALs' URIs, the default first.</summary>
    public static IReadOnlyList<string> Of(NodeSettings settings, string dataDirectory) =>
        Chosen(settings) ?? [IsStoreHere(settings) ? new Uri(Path.Combine(dataDirectory, "wal")).AbsoluteUri : InStore];

    private static string[]? Chosen(NodeSettings settings) =>
        settings[ServerSettings.Wal].Value is { } text ? [.. ConfigDefinition.ListItems(text)] : null;
}
