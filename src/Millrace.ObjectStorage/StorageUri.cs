using Millrace.ObjectStorage.File;
using Millrace.ObjectStorage.Memory;
using Millrace.ObjectStorage.S3;
using Millrace.Runtime;

namespace Millrace.ObjectStorage;

/// <summary>
/// Names an object store: <c>file:///path</c>, <c>s3://bucket/prefix?endpoint=…&amp;region=…&amp;path-style=true</c>, or
/// <c>memory:</c>. Never holds credentials: those come from where the AWS tools find them.
/// </summary>
public sealed class StorageUri
{
    private static readonly string[] Secrets = ["accessKey", "access-key", "secretKey", "secret-key", "sessionToken", "session-token", "password"];
    private readonly ComponentUri _uri;
    private readonly Func<NodeRuntime, CancellationToken, ValueTask<IObjectStorage>> _open;

    private StorageUri(ComponentUri uri)
    {
        _uri = uri;
        _open = uri.Scheme switch
        {
            "file" => ParseFile(uri),
            "s3" => ParseS3(uri),
            "memory" => ParseMemory(uri),
            _ => throw uri.Refuse("is not a store: use file:///path, s3://bucket/prefix or memory:"),
        };
    }

    /// <exception cref="FormatException">It names no store. The message says why, and repeats nothing that could be secret.</exception>
    public static StorageUri Parse(string text) => new(ComponentUri.Parse(text));

    /// <summary>Opens the store, without asking whether it keeps its promises: <see cref="StorageProbe"/> does that.</summary>
    /// <exception cref="ObjectStorageException">It cannot be opened.</exception>
    public ValueTask<IObjectStorage> OpenAsync(NodeRuntime runtime, CancellationToken token) => _open(runtime, token);

    public override string ToString() => _uri.ToString();

    private static Func<NodeRuntime, CancellationToken, ValueTask<IObjectStorage>> ParseFile(ComponentUri uri)
    {
        if (uri.Authority.Length > 0 || !Path.IsPathRooted(uri.Path) || uri.Path == "/")
        {
            throw uri.Refuse("names no folder: write file:// and an absolute path, as in file:///var/lib/millrace/store");
        }

        uri.CheckAllTaken();
        var root = Path.GetFullPath(uri.Path);
        return async (runtime, token) => await FileObjectStorage.OpenAsync(runtime, root, token);
    }

    private static Func<NodeRuntime, CancellationToken, ValueTask<IObjectStorage>> ParseMemory(ComponentUri uri)
    {
        uri.CheckAllTaken();
        return uri.Authority.Length + uri.Path.Length == 0
            ? (_, _) => ValueTask.FromResult<IObjectStorage>(new MemoryObjectStorage())
            : throw uri.Refuse("has a path: a store in memory is just memory:");
    }

    private static Func<NodeRuntime, CancellationToken, ValueTask<IObjectStorage>> ParseS3(ComponentUri uri)
    {
        if (uri.Authority.Contains('@', StringComparison.Ordinal))
        {
            throw uri.Refuse("holds credentials. " + Advice);
        }

        foreach (var secret in Secrets)
        {
            if (uri.Take(secret) is not null)
            {
                throw uri.Refuse($"holds credentials ('{secret}'). " + Advice);
            }
        }

        var endpoint = uri.Take("endpoint");
        if (endpoint is not null && endpoint.Contains('@', StringComparison.Ordinal))
        {
            throw uri.Refuse("holds credentials in its endpoint. " + Advice);
        }

        if (endpoint is not null && (!Uri.TryCreate(endpoint, UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https")))
        {
            throw uri.Refuse("wants its endpoint as http://host:port or https://host:port");
        }

        var prefix = uri.Path.Trim('/');
        var options = new S3Options
        {
            Bucket = uri.Authority.Length > 0 ? uri.Authority : throw uri.Refuse("names no bucket: write s3://bucket/prefix"),
            Prefix = prefix.Length == 0 ? "" : prefix + "/",
            Endpoint = endpoint,
            Region = uri.Take("region"),
            UsePathStyle = uri.TakeFlag("path-style") ?? endpoint is not null,
        };
        uri.CheckAllTaken("endpoint", "region", "path-style");
        return (runtime, _) => ValueTask.FromResult<IObjectStorage>(new S3ObjectStorage(runtime, options));
    }

    private const string Advice =
        "They would end up in logs and process lists: put them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in ~/.aws/credentials, "
        + "or give the machine a role";
}
