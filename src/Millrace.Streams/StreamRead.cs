namespace Millrace.Streams;

/// <summary>Records that were read, in offset order without a gap. Their payloads stay valid until it is disposed, once.</summary>
public sealed class StreamRead(IReadOnlyList<StreamRecord> records, Action? release = null) : IDisposable
{
    private Action? _release = release;

    public IReadOnlyList<StreamRecord> Records => records;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
