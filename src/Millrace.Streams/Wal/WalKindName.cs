namespace Millrace.Streams.Wal;

/// <summary>The kinds of WALs as people know them: by the names that WALs' URIs begin with.</summary>
public static class WalKindName
{
    /// <summary>What a topic asks for. Null for a name that asks for none in particular, or for no name.</summary>
    public static WalKind? Find(string? name) => name switch
    {
        "file" => WalKind.File,
        "object" => WalKind.Object,
        "block" => WalKind.Block,
        _ => null,
    };

    public static string Of(WalKind kind) => kind switch
    {
        WalKind.Memory => "memory",
        WalKind.File => "file",
        WalKind.Object => "object",
        WalKind.Block => "block",
    };
}
