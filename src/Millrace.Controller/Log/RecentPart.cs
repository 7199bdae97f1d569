using Millrace.ObjectStorage.ObjectLogs;

namespace Millrace.Controller.Log;

/// <summary>What the metadata log has from a place on.</summary>
/// <param name="Steps">Entries and seals, in order.</param>
/// <param name="Next">Nothing is missing before this place.</param>
/// <param name="More">Completes when there is more to read; at once if there is something now.</param>
public sealed record RecentPart(IReadOnlyList<LogStep> Steps, LogPlace Next, Task More);
