namespace Millrace.ObjectStorage;

/// <summary>A multipart upload that was begun and neither completed nor aborted.</summary>
public readonly record struct UnfinishedUpload(string Key, string UploadId, DateTimeOffset Begun);
