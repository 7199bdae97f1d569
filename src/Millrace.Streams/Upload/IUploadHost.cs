namespace Millrace.Streams.Upload;

/// <summary>Whose streams are uploaded.</summary>
/// <remarks>Threading: any thread.</remarks>
internal interface IUploadHost
{
    /// <summary>The open streams, by id.</summary>
    IReadOnlyList<StreamUploads> Streams { get; }

    /// <summary>Gives up what the WAL need not keep any more.</summary>
    /// <param name="settledPosition">The place of a record that was committed; what was appended since may lie above it.</param>
    /// <param name="token">Ends the wait.</param>
    Task TrimWalAsync(long settledPosition, CancellationToken token);

    /// <summary>This incarnation can write nothing any more.</summary>
    void LoseAll(StreamException reason);
}
