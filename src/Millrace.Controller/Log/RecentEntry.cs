using Millrace.ObjectStorage.ObjectLogs;

namespace Millrace.Controller.Log;

/// <summary>What one entry of the metadata log says of the cluster image.</summary>
/// <param name="Place">The entry's.</param>
/// <param name="Records">As <see cref="Metadata.Records.MetadataEntry"/> writes them.</param>
public sealed record RecentEntry(LogPlace Place, byte[] Records);
