using System.Buffers;
using System.Text;
using Millrace.Controller.Log;
using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Records;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.File;
using Millrace.ObjectStorage.Memory;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;
using Millrace.Tests.ObjectStorage;
using Millrace.Tests.Server.Composition;
using Xunit;

namespace Millrace.Tests.Controller.Log;

/// <summary>Starts on buckets that hold what this program did not write, or cannot read: each says where, what and what to do, and changes nothing.</summary>
public sealed class ForeignBucketTests : IDisposable
{
    private static readonly Guid SealId = new("00000000-0000-0000-0000-00000000000a");

    private static readonly byte[] ContradictoryPart =
        SnapshotFormat.WriteParts([new NodeFencedRecord { NodeId = 7, NodeEpoch = 7 }], 1).Single();

    private static readonly Dictionary<string, (string Key, byte[] Body, string[] Said)> Foreign = new()
    {
        ["a newer format"] = (
            BucketFormat.Key, new BucketFormat(99, "Millrace 9.9.9 (commit abc)").Write(),
            ["was written by Millrace 9.9.9 (commit abc) in format 99, and this is Millrace 0.", "which knows format 2", "a newer one"]),
        ["an older format"] = (
            BucketFormat.Key, new BucketFormat(1, "Millrace 0.1.0 (commit abc)").Write(),
            ["was written by Millrace 0.1.0 (commit abc) in format 1, and this is Millrace 0.", "which knows format 2", "Use that version;"]),
        ["an empty mark"] = (BucketFormat.Key, [], ["does not say in which format"]),
        ["a mark of garbage"] = (BucketFormat.Key, [0, 255, 7, 13], ["does not say in which format"]),
        ["a mark that was cut short"] = (BucketFormat.Key, new BucketFormat(1, "x").Write()[..20], ["does not say in which format"]),
        ["a mark of another shape"] = (BucketFormat.Key, """{"format":"1"}"""u8.ToArray(), ["does not say in which format"]),
        ["another product's mark"] = (
            BucketFormat.Key, """{"product":"other","format":1,"writtenBy":"Other 1"}"""u8.ToArray(),
            ["does not say in which format"]),
        ["a mark of broken text"] = (BucketFormat.Key, [.. "{\"product\":\""u8, 0xFF, 0xFE, .. "\",\"format\":1}"u8], ["does not say in which format"]),
        ["a mark without end"] = (BucketFormat.Key, new byte[1 << 20], ["does not say in which format"]),
        ["a folder in the place of the mark"] = (BucketFormat.Key + "/a", [1], ["Is a directory"]),
        ["a stray object"] = ("meta/notes.txt", [1], ["is none of Millrace's objects", "Take it away"]),
        ["a stray object in the log"] = ("meta/LOG/readme", [1], ["is none of Millrace's objects"]),
        ["a stray marker"] = ("meta/TRIM/1", [1], ["is none of Millrace's objects"]),
        ["a stray snapshot"] = ("meta/snapshots/latest", [1], ["is none of Millrace's objects"]),
        ["a file in the place of the log"] = ("meta/LOG", [1], ["is none of Millrace's objects"]),
        ["a file in the place of the metadata"] = ("meta", [1], ["holds no cluster, and is not empty"]),
        ["an empty entry"] = (Key(0, 0), [], ["is empty"]),
        ["an entry of garbage"] = (Key(0, 0), [.. Encoding.UTF8.GetBytes(new string('x', 200))], ["is none of Millrace's objects"]),
        ["an entry that was cut short"] = (Key(0, 0), Seal(0)[..40], ["was cut short"]),
        ["an entry that lacks its end"] = (Key(0, 0), Seal(0)[..^1], ["its checksums do not match"]),
        ["an entry of a newer format"] = (Key(0, 0), [.. Seal(0)[..4], 9, .. Seal(0)[5..]], ["has format 9, and this program knows 1"]),
        ["an entry from elsewhere"] = (Key(0, 0), Seal(5), ["was written as another one"]),
        ["a folder in the place of an entry"] = (Key(0, 0) + "/a", [1], ["is none of Millrace's objects"]),
        ["a seal of a newer version"] = (Key(0, 0), Object(isSeal: true, 0, Guid.Empty, [0, 9, 1, 2]), ["has no version 9"]),
        ["metadata of a newer format"] = (Key(1, 0), Entry([2, 0, 0]), ["The metadata has format 2, and this program knows 1"]),
        ["a record of an unknown kind"] = (Key(1, 0), Entry([1, 0x7F, 0xFF, 0, 0, 0]), ["a record of kind 32767, which this program does not know"]),
        ["a higher feature level"] = (Key(1, 0), Entry(MetadataEntry.Write([new FeatureLevelRecord { Level = 99 }])), ["feature level is 99"]),
        ["records that contradict the others"] = (
            Key(1, 0), Entry(MetadataEntry.Write([new NodeFencedRecord { NodeId = 7, NodeEpoch = 7 }])),
            ["contradicts the metadata before it"]),
        ["a snapshot of a newer format"] = (
            "meta/snapshots/0000000000000001-0000000000000000", [.. "MRMS"u8, 0, 3, 0, 0, 0, 0],
            ["has format 3, and this program knows 2"]),
        ["a snapshot that contradicts itself"] = (
            "meta/snapshots/0000000000000001-0000000000000000", SnapshotOf(ContradictoryPart),
            ["the snapshot of more of it is damaged"]),
        ["another product's files"] = (
            "orders-0/00000000000000000000.log", [0, 0, 0, 0],
            ["holds no cluster, and is not empty", "none of Millrace's objects", "a prefix of its own"]),
        ["data without metadata"] = (DataObjectKey.Of(new ObjectId(5)), [1, 2, 3], ["data of a cluster whose metadata (meta/) is not there", "Restore"]),
        ["a WAL without metadata"] = ("WAL/0123/LOG/0", [1], ["data of a cluster whose metadata (meta/) is not there"]),
    };

    private readonly RealNode _node = new();

    public static TheoryData<string> Names => [.. Foreign.Keys];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_start_says_what_is_wrong_with_a_bucket_and_changes_nothing_in_it(string name)
    {
        var (key, body, said) = Foreign[name];
        Plant(key, body);
        if (key == Key(1, 0))
        {
            Plant(Key(0, 0), Seal(0));
        }

        if (key.StartsWith("meta/snapshots/0", StringComparison.Ordinal))
        {
            Plant(key + ".cluster-0000", ContradictoryPart);
        }

        if (key.StartsWith("meta/", StringComparison.Ordinal) && !key.StartsWith(BucketFormat.Key, StringComparison.Ordinal))
        {
            Plant(BucketFormat.Key, new BucketFormat(BucketFormat.Current, "Millrace").Write());
        }

        var before = Content();

        var refusal = await Assert.ThrowsAnyAsync<Exception>(StartAsync);

        // These the program answers with a line and an exit code of its own.
        Assert.True(refusal is ForeignBucketException or ObjectLogException or ProtocolException or ObjectStorageException, refusal.ToString());
        Assert.All([key.Replace("/a", "", StringComparison.Ordinal), .. said], text => Assert.Contains(text, refusal.Message, StringComparison.Ordinal));
        Assert.Equal(before, Content());
    }

    [Fact]
    public async Task A_folder_where_an_entry_should_be_is_named_and_not_waited_for()
    {
        Directory.CreateDirectory(Path.Combine(_node.Folder, Key(0, 0)));
        var refusal = await Assert.ThrowsAsync<ObjectStorageException>(StartAsync);
        Assert.Contains(Key(0, 0), refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Is a directory", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bucket_is_marked_before_anything_else_is_written_to_it_and_the_mark_stays()
    {
        await StartAndStopAsync();
        var mark = await File.ReadAllBytesAsync(Path.Combine(_node.Folder, BucketFormat.Key), Token);
        Assert.Equal(new BucketFormat(BucketFormat.Current, ProductVersion.Program), BucketFormat.Read(mark));

        await StartAndStopAsync();
        Assert.Equal(mark, await File.ReadAllBytesAsync(Path.Combine(_node.Folder, BucketFormat.Key), Token));
    }

    [Fact]
    public async Task A_bucket_of_the_time_before_the_mark_is_refused_by_name_and_stays_without()
    {
        await StartAndStopAsync();
        File.Delete(Path.Combine(_node.Folder, BucketFormat.Key));

        var refusal = await Assert.ThrowsAsync<ForeignBucketException>(StartAsync);
        Assert.Contains("was written by an early version of Millrace 0.1.0 in format 1, and this is Millrace", refusal.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_node.Folder, BucketFormat.Key)));
    }

    [Fact]
    public async Task A_bucket_in_which_another_forms_its_cluster_meanwhile_is_one_to_join()
    {
        var looks = 0;
        await using var storage = new AdjustedObjectStorage { Listed = found => looks++ == 0 ? [] : found };
        await storage.PutAsync(Key(0, 0), new ReadOnlySequence<byte>(Seal(0)), Token);

        await new BucketMark(_node.Runtime, storage, Timeout.InfiniteTimeSpan).CheckAsync(Token);
        Assert.Equal(3, looks);
    }

    [Fact]
    public async Task What_consoles_and_probes_leave_in_an_empty_bucket_keeps_nobody_from_using_it()
    {
        const string Left = "PROBE/0123/a";
        await using var storage = new AdjustedObjectStorage
        {
            Listed = found => found.Any(entry => entry.Key == Left) ? [new("", 0), new("backup/", 0), .. found] : found,
        };
        await storage.PutAsync(Left, new ReadOnlySequence<byte>([1]), Token);
        await using var node = await NodeUnderTest.StartAsync(storage, "memory:");
        Assert.True(await node.Node.StopAsync());
    }

    [Fact]
    public async Task A_cluster_that_another_node_forms_while_the_bucket_is_looked_at_is_none_of_anybody_elses()
    {
        AdjustedObjectStorage? storage = null;
        var isFormed = false;
        await using var watched = storage = new AdjustedObjectStorage
        {
            Listed = found =>
            {
                if (!isFormed)
                {
                    isFormed = true;
                    Assert.True(storage!.PutAsync(Key(0, 0), new ReadOnlySequence<byte>(Seal(0)), Token).IsCompletedSuccessfully);
                    Assert.True(storage.PutAsync("WAL/0123/LOG/0", new ReadOnlySequence<byte>([1]), Token).IsCompletedSuccessfully);
                }

                return found;
            },
        };

        await new BucketMark(_node.Runtime, watched, TimeSpan.FromMinutes(1)).CheckAsync(Token);

        Assert.True(isFormed);
    }

    [Fact]
    public async Task A_start_lists_no_more_of_a_long_log_than_a_page()
    {
        var pages = 0;
        await using var storage = new AdjustedObjectStorage
        {
            Listed = found =>
            {
                pages++;
                return found;
            },
        };
        await storage.PutAsync(BucketFormat.Key, new ReadOnlySequence<byte>(new BucketFormat(BucketFormat.Current, "Millrace").Write()), Token);
        for (var index = 0; index < 2_500; index++)
        {
            await storage.PutAsync(Key(1, index), new ReadOnlySequence<byte>([1]), Token);
        }

        await new BucketMark(_node.Runtime, storage, TimeSpan.FromMinutes(1)).CheckAsync(Token);

        Assert.Equal(1, pages);
    }

    [Fact]
    public async Task A_node_says_in_the_metadata_which_program_it_is()
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "memory:");
        Assert.Equal(ProductVersion.Program, Assert.Single(node.Node.Metadata.Image.Nodes.Values).Program);
        Assert.StartsWith($"Information {ProductVersion.Full} starts: store ", node.Log.Texts[0], StringComparison.Ordinal);
    }

    public void Dispose() => _node.Dispose();

    private static string Key(long term, long index) => new LogKeys("meta/").Object(new LogPlace(term, index));

    private static byte[] Seal(long term) =>
        Object(isSeal: true, term, Guid.Empty, VersionedBytes.Encode(new ControllerSeal { Host = "h", Port = 1 }, ControllerSeal.Versions.Max));

    private static byte[] Entry(byte[] payload) => Object(isSeal: false, 1, SealId, payload);

    private static byte[] Object(bool isSeal, long term, Guid after, byte[] payload) =>
        [.. LogObjectFormat.WriteHeader(isSeal, new LogPlace(term, 0), SealId, after, confirmed: -1, new ReadOnlySequence<byte>(payload)), .. payload];

    private static byte[] SnapshotOf(byte[] part) => SnapshotFormat.WriteHead(
        new Snapshot(LogStart.Beginning() with { Next = new LogPlace(1, 0), After = SealId }, new ControllerSeal { Host = "h" }, ClusterState.Empty),
        [SnapshotFormat.Describe(part)],
        []);

    private void Plant(string key, byte[] body)
    {
        var path = Path.Combine(_node.Folder, key);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, body);
    }

    private async Task<NodeUnderTest> StartAsync() =>
        await NodeUnderTest.StartAsync(await FileObjectStorage.OpenAsync(_node.Runtime, _node.Folder, Token), "memory:");

    private async Task StartAndStopAsync()
    {
        await using var node = await StartAsync();
        Assert.True(await node.Node.StopAsync());
    }

    private SortedDictionary<string, string> Content() => new(
        Directory.EnumerateFileSystemEntries(_node.Folder, "*", SearchOption.AllDirectories)
            .ToDictionary(path => path, path => Directory.Exists(path) ? "a folder" : Convert.ToHexString(File.ReadAllBytes(path))),
        StringComparer.Ordinal);
}
