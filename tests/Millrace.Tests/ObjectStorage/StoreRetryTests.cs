using Millrace.ObjectStorage;
using Xunit;

namespace Millrace.Tests.ObjectStorage;

public sealed class StoreRetryTests : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);
    private readonly RealNode _node = new();
    private readonly List<int> _failed = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_store_that_fails_for_the_moment_is_asked_until_it_answers_and_each_failure_is_told()
    {
        Assert.Equal(30, await NewRetry(int.MaxValue).UntilAnsweredAsync(
            attempt => attempt < 30 ? throw Failure(ObjectStorageError.Transient) : new ValueTask<int>(attempt), Token));
        Assert.Equal(Enumerable.Range(1, 29), _failed);
    }

    [Fact]
    public async Task What_the_store_refuses_for_good_ends_at_once()
    {
        var refusal = Failure(ObjectStorageError.AccessDenied);
        Assert.Same(refusal, await Assert.ThrowsAsync<ObjectStorageException>(
            () => NewRetry(int.MaxValue).UntilAnsweredAsync<int>(_ => throw refusal, Token).AsTask()));
        Assert.Empty(_failed);
    }

    [Fact]
    public async Task After_so_many_attempts_the_last_failure_is_the_callers()
    {
        var failures = Enumerable.Range(0, 3).Select(_ => Failure(ObjectStorageError.Transient)).ToList();
        Assert.Same(failures[2], await Assert.ThrowsAsync<ObjectStorageException>(
            () => NewRetry(attempts: 3).UntilAnsweredAsync<int>(attempt => throw failures[attempt - 1], Token).AsTask()));
        Assert.Equal([1, 2], _failed);
    }

    [Fact]
    public async Task Its_caller_ends_it_between_two_attempts()
    {
        using var ending = new CancellationTokenSource();
        var retry = new StoreRetry(_node.Runtime, TimeSpan.FromHours(1), TimeSpan.FromHours(1)) { Failed = (_, _) => ending.Cancel() };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => retry.UntilAnsweredAsync<int>(_ => throw Failure(ObjectStorageError.Transient), ending.Token).AsTask());
    }

    public void Dispose() => _node.Dispose();

    private static ObjectStorageException Failure(ObjectStorageError error) => new(error, "as the test wants it");

    private StoreRetry NewRetry(int attempts) =>
        new(_node.Runtime, Pause, Pause) { Attempts = attempts, Failed = (_, attempt) => _failed.Add(attempt) };
}
