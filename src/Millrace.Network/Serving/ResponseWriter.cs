using System.Buffers.Binary;
using System.IO.Pipelines;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;

namespace Millrace.Network.Serving;

/// <summary>
/// Writes responses straight into a connection's pipe. The size in front is filled in afterwards, which the pipe allows
/// because nothing of it is visible before the flush.
/// </summary>
/// <remarks>Threading: one caller.</remarks>
internal sealed class ResponseWriter(PipeWriter output)
{
    /// <summary>Part of a response was written that could not be finished: the connection must not be closed in order.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Writes one response, without flushing.</summary>
    public void Write(RequestCall call)
    {
        IsBroken = true;
        var size = output.GetMemory(sizeof(int))[..sizeof(int)];
        output.Advance(sizeof(int));

        var writer = new KafkaWriter(output);
        writer.WriteInt32(call.CorrelationId);
        if (call.HasFlexibleResponseHeader)
        {
            // No tagged fields.
            writer.WriteUnsignedVarint(0);
        }

        call.WriteResponse(ref writer);
        writer.Flush();
        BinaryPrimitives.WriteInt32BigEndian(size.Span, checked((int)writer.BytesWritten));
        IsBroken = false;
    }

    public ValueTask<FlushResult> FlushAsync() => output.FlushAsync();
}
