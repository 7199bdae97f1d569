using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.SecurityToken;
using Millrace.Runtime;

namespace Millrace.ObjectStorage.S3;

/// <summary>A store in a bucket of S3, or of a server that speaks its protocol.</summary>
/// <remarks>
/// The SDK's own retries are off: a create must be tried exactly once, and everything else is repeated here, on the node's
/// clock. Checksums beyond what an operation requires are off too, since several servers refuse them; every format of
/// ours carries its own. Threading: any thread.
/// </remarks>
public sealed class S3ObjectStorage : IObjectStorage
{
    private const int KeysPerDelete = 1000;

    private readonly S3Options _options;
    private readonly AmazonS3Client _client;
    private readonly S3Calls _calls;
    private readonly S3Connections _connections;

    /// <summary>
    /// Credentials come from where the AWS tools find them: a role by the token of a pod's service account, too (<c>AWS_ROLE_ARN</c> and
    /// <c>AWS_WEB_IDENTITY_TOKEN_FILE</c>, which EKS calls IRSA).
    /// </summary>
    /// <exception cref="ObjectStorageException">Invalid: neither a region nor an endpoint is known.</exception>
    public S3ObjectStorage(NodeRuntime runtime, S3Options options)
        : this(runtime, options, credentials: null)
    {
    }

    // The SDK finds by their names what asks AWS for a role, where it is there: what is packaged has to hold it.
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSecurityTokenServiceClient))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSecurityTokenServiceConfig))]
    internal S3ObjectStorage(NodeRuntime runtime, S3Options options, AWSCredentials? credentials)
    {
        _options = options;
        Name = $"s3://{options.Bucket}/{options.Prefix}" + (options.Endpoint is null ? "" : $" at {options.Endpoint}");
        _calls = new S3Calls(runtime, Name, options.RequestsAtOnce, options.RequestTimeout);
        _connections = new S3Connections(options.RequestsAtOnce);
        try
        {
            var config = Configure(options, _connections);
            _client = credentials is null ? new AmazonS3Client(config) : new AmazonS3Client(credentials, config);
        }
        catch (AmazonClientException failure)
        {
            _connections.Dispose();
            throw new ObjectStorageException(ObjectStorageError.Invalid, $"{Name}: {failure.Message}", failure);
        }
    }

    public string Name { get; }

    public async ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        ObjectKey.Check(key);
        var request = PutRequest(key, body);
        request.IfNoneMatch = "*";
        return await _calls.TryOnceAsync("create", key, body.Length, token, async limited =>
        {
            try
            {
                await _client.PutObjectAsync(request, limited);
                return true;
            }
            catch (AmazonS3Exception failure) when (S3Errors.IsPreconditionFailed(failure))
            {
                return false;
            }
        });
    }

    public async ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        ObjectKey.Check(key);
        if (body.Length <= _options.PartBytes)
        {
            await _calls.RepeatAsync("put", key, body.Length, token, limited => _client.PutObjectAsync(PutRequest(key, body), limited));
        }
        else
        {
            await new S3MultipartPut(_client, _calls, _options, key).RunAsync(body, token);
        }
    }

    public async ValueTask<byte[]?> GetAsync(string key, CancellationToken token) =>
        await _calls.RepeatAsync("get", key, CallLimit.UnknownBody, token, async limited =>
        {
            try
            {
                using var response = await _client.GetObjectAsync(new GetObjectRequest { BucketName = _options.Bucket, Key = _options.FullKey(key) }, limited);
                var body = new byte[response.ContentLength];
                await response.ResponseStream.ReadExactlyAsync(body, limited);
                return body;
            }
            catch (AmazonS3Exception failure) when (S3Errors.IsAbsent(failure))
            {
                return null;
            }
        });

    public async ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token) =>
        await _calls.RepeatAsync("read", key, destination.Length, token, async limited =>
        {
            try
            {
                return destination.Length == 0
                    ? await S3MultipartPut.LengthAsync(_client, _options, key, limited) is null ? -1 : 0
                    : await ReadRangeAsync(key, position, destination, limited);
            }
            catch (AmazonS3Exception failure) when (S3Errors.IsAbsent(failure))
            {
                return -1;
            }
            catch (AmazonS3Exception failure) when (S3Errors.IsPastTheEnd(failure))
            {
                return 0;
            }
        });

    public async ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token)
    {
        var found = new List<ObjectEntry>();
        var request = new ListObjectsV2Request
        {
            BucketName = _options.Bucket,
            Prefix = _options.FullKey(prefix),
            StartAfter = startAfter is null ? null : _options.FullKey(startAfter),
        };
        while (found.Count < limit)
        {
            // A server may send less than it is asked for, and say that there is more.
            request.MaxKeys = limit - found.Count;
            var page = await _calls.RepeatAsync("list", prefix, token, limited => _client.ListObjectsV2Async(request, limited));
            found.AddRange((page.S3Objects ?? []).Select(entry => new ObjectEntry(entry.Key[_options.Prefix.Length..], entry.Size ?? 0)));
            if (page.IsTruncated != true)
            {
                break;
            }

            request.ContinuationToken = page.NextContinuationToken;
        }

        return found;
    }

    public async ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token)
    {
        foreach (var chunk in keys.Chunk(KeysPerDelete))
        {
            var request = new DeleteObjectsRequest
            {
                BucketName = _options.Bucket,
                Objects = [.. chunk.Select(key => new KeyVersion { Key = _options.FullKey(key) })],
                Quiet = true,
            };
            await _calls.RepeatAsync("delete", chunk[0], token, limited => _client.DeleteObjectsAsync(request, limited));
        }
    }

    public async ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token)
    {
        var found = new List<UnfinishedUpload>();
        var request = new ListMultipartUploadsRequest { BucketName = _options.Bucket, Prefix = _options.FullKey(prefix) };
        while (true)
        {
            var page = await _calls.RepeatAsync("list uploads of", prefix, token, limited => _client.ListMultipartUploadsAsync(request, limited));
            found.AddRange((page.MultipartUploads ?? []).Select(upload =>
                new UnfinishedUpload(upload.Key[_options.Prefix.Length..], upload.UploadId, upload.Initiated ?? default(DateTimeOffset))));
            if (page.IsTruncated != true)
            {
                return found;
            }

            request.KeyMarker = page.NextKeyMarker;
            request.UploadIdMarker = page.NextUploadIdMarker;
        }
    }

    public async ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) =>
        await S3MultipartPut.AbortAsync(_client, _calls, _options, upload, token);

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _connections.Dispose();
        return ValueTask.CompletedTask;
    }

    private static AmazonS3Config Configure(S3Options options, S3Connections connections)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = options.UsePathStyle,
            MaxErrorRetry = 0,
            HttpClientFactory = connections,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (options.Endpoint is not null)
        {
            config.ServiceURL = options.Endpoint;
            config.AuthenticationRegion = options.Region ?? "us-east-1";
        }
        else if (options.Region is not null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        }

        return config;
    }

    private PutObjectRequest PutRequest(string key, ReadOnlySequence<byte> body) => new()
    {
        BucketName = _options.Bucket,
        Key = _options.FullKey(key),
        InputStream = new SequenceStream(body),
        AutoCloseStream = false,
        UseChunkEncoding = false,

        // A signature over the body costs a pass of SHA-256; where TLS protects it, it protects nothing more.
        DisablePayloadSigning = _options.IsEncrypted,
    };

    private async Task<int> ReadRangeAsync(string key, long position, Memory<byte> destination, CancellationToken token)
    {
        var request = new GetObjectRequest
        {
            BucketName = _options.Bucket,
            Key = _options.FullKey(key),
            ByteRange = new ByteRange(position, position + destination.Length - 1),
        };
        using var response = await _client.GetObjectAsync(request, token);
        if (response.ContentLength > destination.Length)
        {
            throw new ObjectStorageException(ObjectStorageError.Invalid, $"{Name}: the answer to a ranged read of '{key}' is longer than the range");
        }

        await response.ResponseStream.ReadExactlyAsync(destination[..(int)response.ContentLength], token);
        return (int)response.ContentLength;
    }
}
