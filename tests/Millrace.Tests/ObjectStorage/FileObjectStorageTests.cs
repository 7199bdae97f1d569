using Millrace.ObjectStorage;
using Xunit;

namespace Millrace.Tests.ObjectStorage;

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
        File.WriteAllText(Path.Combine(_node.Folder, ".tmp", "half"), "ha");
        Assert.True(await _node.Runtime.Files.TryLinkAsync(Path.Combine(_node.Folder, "whole"), Path.Combine(_node.Folder, ".tmp", "second"), Token));

        await using var again = await FileObjectStorage.OpenAsync(_node.Runtime, _node.Folder, Token);
        Assert.Equal([".tmp", ".tmp/second", "whole"], Names().Order(StringComparer.Ordinal));
        Assert.Equal("whole", Text(await again.GetAsync("whole", Token)));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_reported_with_its_name()
    {
        var path = Path.Combine(_node.Folder, "file");
        File.WriteAllText(path, "");
        var refused = await Assert.ThrowsAsync<ObjectStorageException>(async () => await FileObjectStorage.OpenAsync(_node.Runtime, path, Token));
        Assert.Equal(ObjectStorageError.Invalid, refused.Error);
        Assert.Contains(path, refused.Message, StringComparison.Ordinal);
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
