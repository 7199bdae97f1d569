namespace Millrace.Streams.Upload;

/// <summary>Whose streams are uploaded.</summary>
/// <remarks>Threading: any thread.</remarks>
internal interface IUploadHost
{
    /// <summary>The open streams, by id.</summary>
    IReadOnlyList<StreamUploads> Streams { get; }
}
