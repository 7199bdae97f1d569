using System.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;
using Millrace.Streams.Verification;
using Xunit;

namespace Millrace.Tests.Streams.Verification;

public sealed class StoreVerifierTests : IAsyncLifetime
{
    private readonly TestStorage _storage = new();
    private readonly TestRegistry _registry = new();
    private readonly List<TestOwner> _owners = [];
    private TestNode _node = null!;

    public async ValueTask InitializeAsync()
    {
        _node = new TestNode(_registry, _storage);
        for (var i = 0; i < 4; i++)
        {
            _owners.Add(await _node.CreateAsync());
        }

        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 24; i++)
            {
                await _node.AppendAsync(_owners[i % 4], bytes: 100 + i % 4 * 150, timestamp: i);
            }

            await _node.UploadAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _storage.DisposeAsync();
    }

    [Fact]
    public async Task A_whole_bucket_is_proved_whole()
    {
        var report = await VerifyAsync(Inventory());
        Assert.Empty(report.Problems);
        Assert.Equal((4, 72), (report.Streams, report.Records));
        Assert.Equal(18 * (100 + 250 + 400 + 550), report.Bytes);
    }

    [Fact]
    public async Task A_trimmed_stream_is_whole_too_and_its_object_is_no_leak_while_it_holds_the_checkpoint()
    {
        await _owners[3].Stream.TrimAsync(18, default);
        var inventory = Inventory();
        Assert.Empty(inventory.Streams[3].Ranges);
        var checkpoint = (await ReadCheckpointRangeAsync(_owners[3]))!;
        var streams = inventory.Streams.Select(stream => stream.Stream == checkpoint.Stream ? stream with { CheckpointRange = checkpoint } : stream);
        var report = await VerifyAsync(inventory with { Streams = [.. streams] });
        // The two older objects of the trimmed stream are not deleted by anybody here.
        Assert.Equal(2, report.Problems.Count);
        Assert.All(report.Problems, problem => Assert.Contains("leaked", problem, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_damaged_bit_is_found()
    {
        var keys = await _storage.KeysAsync();
        var random = new Random(7);
        for (var i = 0; i < 300; i++)
        {
            var key = keys[random.Next(keys.Count)];
            var position = random.Next((await _storage.GetAsync(key, default))!.Length);
            await _storage.DamageAsync(key, position);
            Assert.False((await VerifyAsync(Inventory())).IsWhole, $"{key} at {position}");
            await _storage.DamageAsync(key, position);
        }

        Assert.True((await VerifyAsync(Inventory())).IsWhole);
    }

    [Fact]
    public async Task A_missing_object_a_short_one_and_a_leaked_one_are_found()
    {
        var keys = await _storage.KeysAsync();
        var body = (await _storage.GetAsync(keys[0], default))!;
        await _storage.DeleteAsync([keys[0]], default);
        Assert.Contains("is missing", Assert.Single((await VerifyAsync(Inventory())).Problems), StringComparison.Ordinal);

        await _storage.PutAsync(keys[0], new ReadOnlySequence<byte>(body.AsMemory(0, body.Length - 1)), default);
        Assert.NotEmpty((await VerifyAsync(Inventory())).Problems);

        await _storage.PutAsync(keys[0], new ReadOnlySequence<byte>(body), default);
        await _storage.PutAsync(DataObjectKey.Of(new ObjectId(90)), new ReadOnlySequence<byte>(body), default);
        Assert.Contains("leaked", Assert.Single((await VerifyAsync(Inventory())).Problems), StringComparison.Ordinal);
        Assert.Empty((await VerifyAsync(Inventory() with { Pending = new HashSet<ObjectId> { new(90) } })).Problems);
        Assert.Empty((await VerifyAsync(Inventory() with { NextObject = new ObjectId(90) })).Problems);
    }

    [Fact]
    public async Task An_object_that_is_gone_is_missing_only_if_the_metadata_still_need_it_at_the_end()
    {
        var inventory = Inventory();
        var gone = inventory.Streams[0].Ranges[0].Object;
        await _storage.DeleteAsync([DataObjectKey.Of(gone)], default);
        // All streams but one lie elsewhere by now, and then that one, too.
        StreamInventory[] merged = [.. inventory.Streams.Select(stream => stream with { Ranges = [.. stream.Ranges.Skip(1)], CheckpointRange = null })];

        var report = await VerifyAsync(inventory, inventory with { Streams = [inventory.Streams[0], .. merged.Skip(1)] });
        Assert.Contains("missing", Assert.Single(report.Problems), StringComparison.Ordinal);
        Assert.Empty((await VerifyAsync(inventory, inventory with { Streams = merged })).Problems);
    }

    [Fact]
    public async Task Metadata_that_says_otherwise_is_found()
    {
        var inventory = Inventory();
        var stream = inventory.Streams[0];
        ObjectRange[] ranges = [.. stream.Ranges];

        await AssertFoundAsync(stream with { EndOffset = stream.EndOffset + 1 });
        await AssertFoundAsync(stream with { Ranges = [ranges[0], ranges[2]] });
        await AssertFoundAsync(stream with { Ranges = [ranges[1], ranges[2]] });
        await AssertFoundAsync(stream with { Ranges = [ranges[0] with { ObjectDigest = ranges[1].ObjectDigest }, ranges[1], ranges[2]] });
        await AssertFoundAsync(stream with { Ranges = [ranges[0] with { Epoch = new StreamEpoch(9) }, ranges[1], ranges[2]] });
        await AssertFoundAsync(stream with { Ranges = [ranges[1] with { StartOffset = 0, EndOffset = 6 }, ranges[1], ranges[2]] });

        async Task AssertFoundAsync(StreamInventory changed) =>
            Assert.False((await VerifyAsync(inventory with { Streams = [changed, .. inventory.Streams.Skip(1)] })).IsWhole);
    }

    [Fact]
    public async Task A_range_that_was_cut_at_its_commit_is_proved_by_the_digest_of_the_whole()
    {
        var inventory = Inventory();
        var stream = inventory.Streams[0];
        var cut = stream.Ranges[0] with { StartOffset = 2 };
        var report = await VerifyAsync(
            inventory with { Streams = [stream with { StartOffset = 2, Ranges = [cut, .. stream.Ranges.Skip(1)] }, .. inventory.Streams.Skip(1)] });
        Assert.Empty(report.Problems);
    }

    private StoreInventory Inventory() => new(
        [.. _owners.Select(owner =>
        {
            var (start, end, ranges) = _registry.Describe(owner.Stream.Id);
            return new StreamInventory(owner.Stream.Id, start, end, ranges, ranges.Count > 0 ? ranges[^1] : null);
        })],
        new HashSet<ObjectId>(),
        new ObjectId(1000));

    private async Task<ObjectRange?> ReadCheckpointRangeAsync(TestOwner owner)
    {
        await owner.Stream.CloseAsync(default);
        return (await _registry.OpenAsync(_node.Incarnation, owner.Stream.Id, new StreamEpoch(2), default)).CheckpointRange;
    }

    private Task<VerificationReport> VerifyAsync(StoreInventory inventory) => VerifyAsync(inventory, inventory);

    private Task<VerificationReport> VerifyAsync(StoreInventory inventory, StoreInventory later) =>
        new StoreVerifier(_node.Runtime, _node.Options, _storage).VerifyAsync(inventory, _ => new(later), default);
}
