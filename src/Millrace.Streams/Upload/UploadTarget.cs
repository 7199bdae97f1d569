using Millrace.ObjectStorage;
using Millrace.Runtime.Buffers;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Upload;

/// <summary>Where objects go: what uploads and recoveries have in common.</summary>
/// <param name="Node">In whose name they are prepared and committed.</param>
/// <param name="Storage">Holds them.</param>
/// <param name="Registry">Commits them.</param>
/// <param name="Buffers">Memory for their tables, and for what a recovery reads.</param>
public sealed record UploadTarget(NodeIncarnation Node, IObjectStorage Storage, IStreamRegistry Registry, BufferPool Buffers);
