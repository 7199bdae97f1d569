using Millrace.ObjectStorage;
using Xunit;

namespace Millrace.Tests.ObjectStorage;

public sealed class StorageUriTests
{
    [Fact]
    public async Task A_file_uri_opens_that_folder()
    {
        using var node = new RealNode();
        var path = Path.Combine(node.Folder, "a store");
        await using var store = await StorageUri.Parse($"file://{path.Replace(" ", "%20", StringComparison.Ordinal)}").OpenAsync(node.Runtime, default);
        Assert.True(await store.TryCreateAsync("key", new([1]), default));
        Assert.True(System.IO.File.Exists(Path.Combine(path, "key")));
    }

    [Fact]
    public async Task An_s3_uri_names_bucket_prefix_and_endpoint()
    {
        using var node = new RealNode();
        await using var store = await StorageUri
            .Parse("s3://bucket/some/prefix/?endpoint=http://127.0.0.1:9000&region=eu-west-1").OpenAsync(node.Runtime, default);
        Assert.Equal("s3://bucket/some/prefix/ at http://127.0.0.1:9000", store.Name);
    }

    [Theory]
    [InlineData("", "is not a store")]
    [InlineData("http://host/x", "is not a store")]
    [InlineData("/var/lib", "is not a store")]
    [InlineData("file://var/lib", "names no folder")]
    [InlineData("file:///", "names no folder")]
    [InlineData("file:///a?b=c", "unknown setting 'b'")]
    [InlineData("memory:x", "has a path")]
    [InlineData("s3:///prefix", "names no bucket")]
    [InlineData("s3://bucket?endpoint=127.0.0.1:9000", "http://host:port")]
    [InlineData("s3://bucket?path-style=yes", "true or false")]
    [InlineData("s3://bucket?regoin=x", "unknown setting 'regoin': it takes endpoint, region, path-style")]
    public void What_is_wrong_with_a_uri_is_said(string text, string said) =>
        Assert.Contains(said, Assert.Throws<FormatException>(() => StorageUri.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("s3://bucket?accessKey=SECRET")]
    [InlineData("s3://bucket?region=x&secret-key=SECRET")]
    [InlineData("s3://key:SECRET@bucket/prefix")]
    [InlineData("s3://bucket?endpoint=http://key:SECRET@127.0.0.1:9000")]
    public void Credentials_are_refused_with_advice_and_not_repeated(string text)
    {
        var message = Assert.Throws<FormatException>(() => StorageUri.Parse(text)).Message;
        Assert.Contains("AWS_SECRET_ACCESS_KEY", message, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", message.Replace("AWS_SECRET_ACCESS_KEY", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }
}
