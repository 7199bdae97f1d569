using System.Collections;

namespace Millrace.Streams.Objects;

/// <summary>Some of a range's records, where they are.</summary>
internal sealed class RecordSlice(IReadOnlyCollection<StreamRecord> records, int skipped, int count) : IReadOnlyCollection<StreamRecord>
{
    public int Count => count;

    public IEnumerator<StreamRecord> GetEnumerator() => records.Skip(skipped).Take(count).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
