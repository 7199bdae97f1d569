using Microsoft.Extensions.Logging.Abstractions;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.File;
using Millrace.Runtime;
using Millrace.Runtime.Files.Linux;
using Xunit;

namespace Millrace.Tests.ObjectStorage.File;

public sealed class FileObjectStorageTests : ObjectStorageContract
{
    private readonly RealNode _node = new();

    [Fact]
    public async Task Empty_folders_go_with_their_last_object_and_writes_leave_no_temporary_files()
    {
        await Store.PutAsync("a/b/c/1", Body("1"), Token);
        await Store.PutAsync("a/2", Body("2"), Token);
        await Store.TryCreateAsync("a/2", Body("refused"), Token);
        await Store.DeleteAsync(["a/b/c/1"], Token);
        Assert.Equal([".tmp", "a", "a/2"], Names().Order(StringComparer.Ordinal));
        await Store.DeleteAsync(["a/2"], Token);
        Assert.Equal([".tmp"], Names());
    }

    [Fact]
    public async Task Creators_and_deleters_in_one_folder_do_not_disturb_each_other()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async writer =>
        {
            for (var i = 0; i < 25; i++)
            {
                var key = $"shared/folder/{writer}";
                Assert.True(await Store.TryCreateAsync(key, Body("x"), Token));
                Assert.Equal("x", Text(await Store.GetAsync(key, Token)));
                await Store.DeleteAsync([key], Token);
            }
        }));
        Assert.Equal([".tmp"], Names());
    }

    [Fact]
    public async Task Opening_removes_half_written_files_but_not_the_second_name_of_a_whole_object()
    {
        await Store.TryCreateAsync("whole", Body("whole"), Token);
        System.IO.File.WriteAllText(Path.Combine(_node.Folder, ".tmp", "half"), "ha");
        Assert.True(await _node.Runtime.Files.TryLinkAsync(Path.Combine(_node.Folder, "whole"), Path.Combine(_node.Folder, ".tmp", "second"), Token));

        await using var again = await FileObjectStorage.OpenAsync(_node.Runtime, _node.Folder, Token);
        Assert.Equal([".tmp", ".tmp/second", "whole"], Names().Order(StringComparer.Ordinal));
        Assert.Equal("whole", Text(await again.GetAsync("whole", Token)));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_reported_with_its_name()
    {
        var path = Path.Combine(_node.Folder, "file");
        System.IO.File.WriteAllText(path, "");
        var refused = await Assert.ThrowsAsync<ObjectStorageException>(async () => await FileObjectStorage.OpenAsync(_node.Runtime, path, Token));
        Assert.Equal(ObjectStorageError.Invalid, refused.Error);
        Assert.Contains(path, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("create")]
    [InlineData("append")]
    [InlineData("sync")]
    [InlineData("mkdir")]
    [InlineData("link")]
    [InlineData("rename")]
    public async Task A_full_disk_is_waited_for_and_keeps_nothing_of_what_did_not_fit(string failing)
    {
        var files = new HookedFiles(_node.Runtime.Files);
        using var runtime = new NodeRuntime(TimeProvider.System, TaskScheduler.Default, new SystemRandom(), files, NullLoggerFactory.Instance);
        await using var store = await FileObjectStorage.OpenAsync(runtime, _node.Folder, Token);
        files.Before = (call, path) => call == failing ? throw HookedFiles.Full(path) : ValueTask.CompletedTask;
        Func<string, Task>[] writes = failing == "rename" ? [Put] : failing == "link" ? [Create] : [Put, Create];
        foreach (var write in writes)
        {
            var full = await Assert.ThrowsAsync<ObjectStorageException>(() => write("a/b"));
            Assert.Equal(ObjectStorageError.Transient, full.Error);
            Assert.Contains("No space left on device", full.Message, StringComparison.Ordinal);
        }

        files.Before = (_, _) => ValueTask.CompletedTask;
        Assert.DoesNotContain(Names(), name => name.StartsWith(".tmp/", StringComparison.Ordinal));
        Assert.Null(await store.GetAsync("a/b", Token));
        foreach (var write in writes)
        {
            await write($"a/{Array.IndexOf(writes, write)}");
        }

        async Task Put(string key) => await store.PutAsync(key, Body("x"), Token);

        async Task Create(string key) => Assert.True(await store.TryCreateAsync(key, Body("x"), Token));
    }

    [Fact]
    public async Task A_failure_that_cannot_be_tidied_up_is_told_all_the_same_and_goes_with_the_next_opening()
    {
        var files = new HookedFiles(_node.Runtime.Files);
        using var runtime = new NodeRuntime(TimeProvider.System, TaskScheduler.Default, new SystemRandom(), files, NullLoggerFactory.Instance);
        await using var store = await FileObjectStorage.OpenAsync(runtime, _node.Folder, Token);
        files.Before = (call, path) => call switch
        {
            "sync" => throw HookedFiles.Full(path),
            "delete" => throw new IOException($"{path}: Input/output error", LinuxError.InputOutput),
            _ => ValueTask.CompletedTask,
        };
        var full = await Assert.ThrowsAsync<ObjectStorageException>(async () => await store.PutAsync("a", Body("x"), Token));
        Assert.Contains("No space left on device", full.Message, StringComparison.Ordinal);

        await using var again = await FileObjectStorage.OpenAsync(_node.Runtime, _node.Folder, Token);
        Assert.Equal([".tmp"], Names());
    }

    private protected override async ValueTask<IObjectStorage> OpenAsync() =>
        await FileObjectStorage.OpenAsync(_node.Runtime, _node.Folder, Token);

    private protected override ValueTask CloseAsync()
    {
        _node.Dispose();
        return ValueTask.CompletedTask;
    }

    private IEnumerable<string> Names() =>
        Directory.EnumerateFileSystemEntries(_node.Folder, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(_node.Folder, path));
}
