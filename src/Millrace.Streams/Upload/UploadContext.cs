using Millrace.Streams.Cache;
using Millrace.Streams.Wal;

namespace Millrace.Streams.Upload;

/// <summary>What uploads of any stream of a store go through.</summary>
/// <param name="Time">How long newest records are waited for.</param>
/// <param name="Options">How much goes at once.</param>
/// <param name="Wal">Tells whether it is full.</param>
/// <param name="Tail">Keeps uploaded records for readers.</param>
/// <param name="Planner">Who wants uploads says so here.</param>
internal sealed record UploadContext(TimeProvider Time, StreamsOptions Options, IWriteAheadLog Wal, TailCache Tail, UploadPlanner Planner);
