using Millrace.Runtime.Files;

namespace Millrace.Streams.Wal.Media;

/// <summary>The space of one WAL, held by this process alone until it is disposed.</summary>
public interface IWalSpace : IAsyncDisposable
{
    /// <summary>What is read and written; owned by the space.</summary>
    IWalDevice Device { get; }

    /// <summary>Tells this space from a copy of it; at most 384 bytes of UTF-8. The ring keeps it in its header.</summary>
    string Identity { get; }

    /// <summary>For messages: which file, which device.</summary>
    string Name { get; }

    /// <summary>Whether a write failed because another process has fenced this one: then the incarnation is over, and the medium is well.</summary>
    bool IsFence(Exception failure);

    /// <summary>Nothing in it is needed any more: its room goes back to the medium. To be called once it is disposed; repeatable.</summary>
    ValueTask GiveUpAsync();
}
