using Millrace.Runtime.Buffers;
using Millrace.Streams.Objects;

namespace Millrace.Streams.Cache;

/// <summary>A data block and the memory it lies in, which the receiver releases once.</summary>
internal readonly record struct BlockHold(DataBlock Block, PooledBuffer Buffer);
