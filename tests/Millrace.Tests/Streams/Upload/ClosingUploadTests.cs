using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Streams.Upload;

/// <summary>How often the registry is asked while streams are uploaded and closed: each call is a round trip, and an entry of the metadata log.</summary>
public sealed class ClosingUploadTests : StreamsTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly List<string> _calls = [];

    [Fact]
    public async Task The_upload_of_the_last_records_closes_the_stream()
    {
        var owner = await StartAsync();
        await Node.AppendAsync(owner);

        await owner.Stream.CloseAsync(default).AsTask().WaitAsync(Patience);

        Assert.Equal(["PrepareAsync", "CommitAsync"], Calls());
        Assert.Equal(1, (await Node.OpenAsync(owner.Stream.Id, epoch: 2)).Stream.NextOffset);
    }

    [Fact]
    public async Task One_that_has_nothing_to_upload_is_closed_by_itself()
    {
        var owner = await StartAsync();
        await Node.AppendAsync(owner);
        await Node.UploadAsync();
        await owner.Stream.TrimAsync(1, default);
        Forget();

        await owner.Stream.CloseAsync(default).AsTask().WaitAsync(Patience);

        Assert.Equal(["CloseAsync"], Calls());
    }

    [Fact]
    public async Task An_upload_after_another_needs_no_id_before_it()
    {
        var owner = await StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await Node.AppendAsync(owner);
            await Node.Store.UploadAsync([new(owner.Stream, i + 1)], default).AsTask().WaitAsync(Patience);
        }

        await Node.AppendAsync(owner);
        await owner.Stream.HandOverAsync(default).AsTask().WaitAsync(Patience);

        Assert.Equal(["PrepareAsync", .. Enumerable.Repeat("CommitAsync", 4)], Calls());
    }

    [Fact]
    public async Task An_id_that_nobody_takes_any_more_is_replaced()
    {
        var owner = await StartAsync();
        await Node.AppendAsync(owner);
        await Node.Store.UploadAsync([new(owner.Stream, 1)], default).AsTask().WaitAsync(Patience);
        Forget();
        var expired = false;
        Registry.Before = call =>
        {
            Note(call);
            if (call != "CommitAsync" || expired)
            {
                return default;
            }

            expired = true;
            throw new StreamException(StreamError.PrepareExpired, "Too late");
        };

        await Node.AppendAsync(owner);
        await owner.Stream.CloseAsync(default).AsTask().WaitAsync(Patience);

        Assert.Equal(["CommitAsync", "PrepareAsync", "CommitAsync"], Calls());
        Assert.Equal(2, Registry.Describe(owner.Stream.Id).End);
    }

    [Fact]
    public async Task An_answer_that_is_lost_loses_no_closing()
    {
        var owner = await StartAsync();
        await Node.AppendAsync(owner);
        var handed = 0;
        Registry.HandedOver = _ => handed++;
        var isLost = false;
        Registry.AfterCommit = () =>
        {
            if (!isLost)
            {
                isLost = true;
                throw new StreamException(StreamError.ControllerLost, "Gone");
            }
        };

        await owner.Stream.HandOverAsync(default).AsTask().WaitAsync(Patience);

        Assert.Equal(["PrepareAsync", "CommitAsync", "CommitAsync"], Calls());
        Assert.Equal(1, handed);
    }

    [Fact]
    public async Task A_closing_that_is_refused_in_the_upload_is_asked_for_by_itself()
    {
        var owner = await StartAsync();
        await Node.AppendAsync(owner);
        Registry.RefusesCloses = true;

        await owner.Stream.CloseAsync(default).AsTask().WaitAsync(Patience);

        Assert.Equal(["PrepareAsync", "CommitAsync", "CloseAsync"], Calls());
    }

    private async Task<TestOwner> StartAsync()
    {
        Start();
        var owner = await Node.CreateAsync();
        Registry.Before = call =>
        {
            Note(call);
            return default;
        };
        return owner;
    }

    private void Note(string call)
    {
        lock (_calls)
        {
            _calls.Add(call);
        }
    }

    private string[] Calls()
    {
        lock (_calls)
        {
            return [.. _calls];
        }
    }

    private void Forget()
    {
        lock (_calls)
        {
            _calls.Clear();
        }
    }
}
