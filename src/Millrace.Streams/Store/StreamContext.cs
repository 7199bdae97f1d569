using Millrace.Streams.Append;
using Millrace.Streams.Reading;
using Millrace.Streams.Registry;
using Millrace.Streams.Upload;

namespace Millrace.Streams.Store;

/// <summary>What a stream needs of its store, side by side.</summary>
/// <param name="Components">The registry that trims it, the buffers.</param>
/// <param name="Registry">Closes it.</param>
/// <param name="Appends">What its appends go through.</param>
/// <param name="Reads">What its reads go through.</param>
/// <param name="Uploads">What its uploads go through.</param>
internal sealed record StreamContext(
    StreamsComponents Components, RegistryCalls Registry, AppendContext Appends, ReadContext Reads, UploadContext Uploads);
