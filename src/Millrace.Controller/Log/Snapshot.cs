using Millrace.Metadata;
using Millrace.ObjectStorage.ObjectLogs;

namespace Millrace.Controller.Log;

/// <summary>A whole state, and what is needed to read on from it.</summary>
/// <param name="Start">The place of the next entry.</param>
/// <param name="Owner">Who owns the term of that place.</param>
/// <param name="State">Everything before that place.</param>
internal sealed record Snapshot(LogStart Start, ControllerSeal Owner, ClusterState State);
