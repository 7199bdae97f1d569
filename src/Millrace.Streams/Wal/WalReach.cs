namespace Millrace.Streams.Wal;

/// <summary>Who can fence a WAL and read it, by its kind: a medium that several nodes reach has its line here.</summary>
public static class WalReach
{
    /// <summary>Any node can; else only the node that wrote it, when it comes again.</summary>
    public static bool IsOfAll(this WalKind kind) => kind is WalKind.Object;
}
