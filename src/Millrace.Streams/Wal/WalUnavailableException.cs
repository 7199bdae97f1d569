namespace Millrace.Streams.Wal;

/// <summary>A WAL that is needed cannot be used. The message says why and what can be done.</summary>
public sealed class WalUnavailableException(WalDescriptor descriptor, string message, Exception? inner = null) : Exception(message, inner)
{
    public WalDescriptor Descriptor => descriptor;
}
