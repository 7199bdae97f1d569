using Millrace.ObjectStorage.ObjectLogs;

namespace Millrace.Controller.Log;

/// <summary>What the metadata log has from a place on.</summary>
/// <param name="Entries">In order; those that say nothing of the cluster image are left out.</param>
/// <param name="Next">Nothing is missing before this place.</param>
/// <param name="More">Completes when there is more to read; at once if there is something now.</param>
public sealed record RecentPart(IReadOnlyList<RecentEntry> Entries, LogPlace Next, Task More);
