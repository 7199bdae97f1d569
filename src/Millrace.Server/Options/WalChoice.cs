namespace Millrace.Server.Options;

/// <summary>Where the write-ahead log lies if nobody has said it: beside a local store in a file, and else in the store, which outlives the machine.</summary>
internal static class WalChoice
{
    public const string InStore = "object";

    /// <summary>The store is a directory of this machine, as it is by default.</summary>
    public static bool IsStoreHere(NodeSettings settings) =>
        settings[ServerSettings.Store].Value is not { } store || store.StartsWith($"{Uri.UriSchemeFile}:", StringComparison.OrdinalIgnoreCase);

    /// <summary>What is acknowledged lies in the store at once.</summary>
    public static bool IsInStore(NodeSettings settings) => settings[ServerSettings.Wal].Value is { } wal ? wal == InStore : !IsStoreHere(settings);

    /// <summary>The WAL's URI.</summary>
    public static string Of(NodeSettings settings, string dataDirectory) =>
        settings[ServerSettings.Wal].Value ?? (IsStoreHere(settings) ? new Uri(Path.Combine(dataDirectory, "wal")).AbsoluteUri : InStore);
}
