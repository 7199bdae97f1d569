using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Cache;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Xunit;

namespace Millrace.Tests.Streams.Upload;

public sealed class UploaderTests
{
    [Fact]
    public async Task Where_there_is_no_memory_to_begin_an_upload_it_begins_when_there_is()
    {
        using var stopping = new CancellationTokenSource();
        using var runtime = new NodeRuntime(TimeProvider.System, TaskScheduler.Default, new SystemRandom(), null!, NullLoggerFactory.Instance);
        var wal = new TestWal(new NodeId(1), new NodeEpoch(1));
        var budget = new MemoryBudget(100, reserve: 0, () => { });
        await using var planner = new UploadPlanner(runtime.Time, TestNode.Small, new NodeWals(wal), budget, () => 1);
        var context = new UploadContext(runtime.Time, TestNode.Small, new NodeWals(wal), planner, Registry: null!, Indexes: null!, new TailCache(0, budget));
        var host = new PoorHost();

        planner.AskForAll();
        var uploader = new Uploader(runtime, context, host, objects: null!, trim: null!, _ => { }, metrics: null!, NullLogger.Instance);
        var running = uploader.RunAsync(stopping.Token);
        await host.Served.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await stopping.CancelAsync();
        await running;
    }

    /// <summary>Has no memory for its list the first time, and no streams then.</summary>
    private sealed class PoorHost : IUploadHost
    {
        private readonly TaskCompletionSource _served = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _asked;

        public Task Served => _served.Task;

        public IReadOnlyList<StreamUploads> Streams
        {
            get
            {
                if (_asked++ == 0)
                {
                    throw new InsufficientMemoryException("The test has no more");
                }

                _served.TrySetResult();
                return [];
            }
        }
    }
}
