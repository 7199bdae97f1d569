using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Controller.State;

/// <summary>
/// Makes a state out of the records of a snapshot (<see cref="ClusterState.ToRecords"/>), in their order: what would be a new image for each record
/// in the log is put into tables here, and counted once. Threading: one at a time.
/// </summary>
internal sealed class ClusterStateBuilder
{
    private readonly StreamImageBuilder _streams = new();
    private MetadataImage _cluster = MetadataImage.Empty;

    /// <exception cref="ProtocolException">A newer program wrote the record.</exception>
    public void Add(IRecord record)
    {
        if (!_streams.Add(record))
        {
            _cluster = _cluster.Apply(record);
        }

        if (record is CountersRecord counters)
        {
            _streams.Count(counters);
        }
    }

    public ClusterState Build() => new(_cluster, _streams.Build());
}
