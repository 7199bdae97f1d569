namespace Millrace.Streams.Upload;

/// <summary>What an upload is due of.</summary>
/// <param name="Streams">The streams that somebody asked for; null for all.</param>
internal sealed record UploadOrder(IReadOnlyCollection<StreamUploads>? Streams)
{
    public static UploadOrder Everything { get; } = new(Streams: null);
}
