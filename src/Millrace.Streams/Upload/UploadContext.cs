using Millrace.Streams.Cache;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Streams.Upload;

/// <summary>What uploads of any stream of a store go through.</summary>
/// <param name="Time">How long newest records are waited for.</param>
/// <param name="Options">How much goes at once.</param>
/// <param name="Wals">Tell whether they are full.</param>
/// <param name="Planner">Who wants uploads says so here.</param>
/// <param name="Registry">Is asked where it did not take a range as it was offered.</param>
/// <param name="Indexes">Keeps the indexes of new objects, which readers need not fetch.</param>
/// <param name="Tail">Keeps uploaded records for readers.</param>
internal sealed record UploadContext(
    TimeProvider Time, StreamsOptions Options, NodeWals Wals, UploadPlanner Planner, RegistryCalls Registry, ObjectIndexCache Indexes, TailCache Tail);
