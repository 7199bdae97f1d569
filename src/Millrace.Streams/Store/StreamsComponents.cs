using Millrace.ObjectStorage;
using Millrace.Runtime.Buffers;
using Millrace.Streams.Cache;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Streams.Store;

/// <summary>What a stream store is made of and tests replace. The store disposes none of it.</summary>
/// <param name="Node">The incarnation whose streams these are.</param>
/// <param name="Wals">This incarnation's WALs, already registered in the metadata. The composer retires or disposes them after the store.</param>
/// <param name="Storage">Holds the data objects.</param>
/// <param name="Registry">Knows who owns which stream and which objects hold it.</param>
/// <param name="Buffers">Memory for what is read and for the parts of objects under construction.</param>
/// <param name="Cache">Objects of that storage in memory, where a recovery fills it too; null: the store makes one for itself, and disposes it.</param>
public sealed record StreamsComponents(
    NodeIncarnation Node, NodeWals Wals, IObjectStorage Storage, IStreamRegistry Registry, BufferPool Buffers, ObjectCache? Cache = null);
