using Microsoft.Extensions.Logging.Abstractions;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Streams.Registry;

public sealed class RetryTests : IDisposable
{
    private static readonly StreamsOptions Options = new() { RetryDelay = TimeSpan.FromMilliseconds(1), RetryLimit = TimeSpan.FromMilliseconds(1) };
    private readonly RealNode _node = new();
    private int _attempts;

    public static TheoryData<Exception> Final { get; } =
    [
        new ArgumentException("a key that no store can hold"), new NotSupportedException("never"),
        new StreamException(StreamError.Corrupt, "damaged"), new InvariantViolationException("broken"),
    ];

    public static TheoryData<Exception> Passing { get; } =
    [
        new InsufficientMemoryException(), new InvalidDataException("surprise"), new IOException("a disk"), new OperationCanceledException("not ours"),
    ];

    [Theory]
    [MemberData(nameof(Final))]
    public async Task What_is_wrong_in_itself_ends_at_once(Exception failure)
    {
        Assert.Same(failure, await Assert.ThrowsAsync(failure.GetType(), () => RunAsync(_ => throw failure)));
        Assert.Equal(1, _attempts);
    }

    [Theory]
    [MemberData(nameof(Passing))]
    public async Task What_nobody_expected_is_repeated_a_few_times_and_then_ends(Exception failure)
    {
        Assert.Equal(7, await RunAsync(attempt => attempt < 10 ? throw failure : 7));
        _attempts = 0;
        Assert.Same(failure, await Assert.ThrowsAsync(failure.GetType(), () => RunAsync(_ => throw failure)));
        Assert.InRange(_attempts, 10, 100);
    }

    [Fact]
    public async Task A_store_that_is_away_is_asked_for_ever_and_makes_what_was_unexpected_before_forgotten() =>
        Assert.Equal(7, await RunAsync(attempt => attempt switch
        {
            200 => 7,
            _ when attempt % 10 == 0 => throw new ObjectStorageException(ObjectStorageError.Transient, "503"),
            _ => throw new InsufficientMemoryException(),
        }));

    public void Dispose() => _node.Dispose();

    private Task<int> RunAsync(Func<int, int> attempt) => new Retry(_node.Runtime, Options, NullLogger.Instance).UntilDoneAsync(
        "Trying", _ => ValueTask.FromResult(attempt(++_attempts)), TestContext.Current.CancellationToken);
}
