using Microsoft.Extensions.Logging;
using Millrace.Runtime;
using Millrace.Streams.Cache;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Reading;

/// <summary>What reads of any stream of a store go through.</summary>
/// <param name="Runtime">Time and lots, for pauses.</param>
/// <param name="Options">How much is read at once, and ahead.</param>
/// <param name="Indexes">Say where in objects records lie.</param>
/// <param name="Blocks">Hold them.</param>
/// <param name="Registry">Knows where they went when an object is gone.</param>
/// <param name="Metrics">Counts reads.</param>
/// <param name="Logger">Hears of what was read ahead in vain.</param>
/// <param name="Spawn">Starts something that ends with the store.</param>
internal sealed record ReadContext(
    NodeRuntime Runtime, StreamsOptions Options, ObjectIndexCache Indexes, BlockCache Blocks, IStreamRegistry Registry, StreamsMetrics Metrics, ILogger Logger,
    Action<string, Func<CancellationToken, Task>> Spawn);
