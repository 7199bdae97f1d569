using System.Buffers;
using Amazon.S3;
using Amazon.S3.Model;
using Millrace.Runtime;

namespace Millrace.ObjectStorage.S3;

/// <summary>One large body on its way into an object, in parts. Never conditional: several servers ignore a condition here.</summary>
internal sealed class S3MultipartPut(AmazonS3Client client, S3Calls calls, S3Options options, string key)
{
    // Tidying up is not worth more: the store that failed is asked, and what stays is found by the list of unfinished uploads.
    private static readonly TimeSpan AbortTime = TimeSpan.FromSeconds(2);

    public async Task RunAsync(ReadOnlySequence<byte> body, CancellationToken token)
    {
        var begun = await calls.RepeatAsync(
            "begin the upload of", key, token, limited => client.InitiateMultipartUploadAsync(options.Bucket, options.FullKey(key), limited));
        try
        {
            var parts = await PutPartsAsync(begun.UploadId, body, token);
            await CompleteAsync(begun.UploadId, parts, body.Length, token);
        }
        catch (Exception failure) when (failure is ObjectStorageException or OperationCanceledException)
        {
            // Not the caller's token, which may be what ended the upload.
            using var limit = calls.Within(AbortTime);
            try
            {
                await AbortAsync(client, calls, options, new(key, begun.UploadId, default), limit.Token);
            }
            catch (Exception left) when (left is ObjectStorageException or OperationCanceledException)
            {
                // It stays in the list of unfinished uploads, where whoever reclaims leaks finds it; the first failure tells more.
            }

            throw;
        }
    }

    private async Task<List<PartETag>> PutPartsAsync(string uploadId, ReadOnlySequence<byte> body, CancellationToken token)
    {
        var gate = new AsyncGate(options.PartsAtOnce);
        var count = (int)((body.Length + options.PartBytes - 1) / options.PartBytes);
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(token);
        ObjectStorageException? first = null;
        try
        {
            return [.. await Task.WhenAll(Enumerable.Range(0, count).Select(PutPartAsync))];
        }
        catch (OperationCanceledException) when (first is not null)
        {
            throw first;
        }

        async Task<PartETag> PutPartAsync(int index)
        {
            await gate.EnterAsync(failed.Token);
            try
            {
                var position = (long)index * options.PartBytes;
                var part = body.Slice(position, Math.Min(options.PartBytes, body.Length - position));
                var answer = await calls.RepeatAsync("put a part of", key, part.Length, failed.Token, limited => client.UploadPartAsync(
                    new UploadPartRequest
                    {
                        BucketName = options.Bucket,
                        Key = options.FullKey(key),
                        UploadId = uploadId,
                        PartNumber = index + 1,
                        PartSize = part.Length,
                        InputStream = new SequenceStream(part),
                        UseChunkEncoding = false,
                        DisablePayloadSigning = options.IsEncrypted,
                    },
                    limited));
                return new PartETag(index + 1, answer.ETag);
            }
            catch (ObjectStorageException failure)
            {
                // The others' work is in vain, and their end tells less.
                Interlocked.CompareExchange(ref first, failure, null);
                failed.Cancel();
                throw;
            }
            finally
            {
                gate.Exit();
            }
        }
    }

    private async Task CompleteAsync(string uploadId, List<PartETag> parts, long length, CancellationToken token) =>
        await calls.RepeatAsync("complete the upload of", key, token, async limited =>
        {
            try
            {
                await client.CompleteMultipartUploadAsync(
                    new CompleteMultipartUploadRequest
                    {
                        BucketName = options.Bucket, Key = options.FullKey(key), UploadId = uploadId, PartETags = parts,
                    },
                    limited);
            }
            catch (AmazonS3Exception failure) when (failure.ErrorCode == "NoSuchUpload")
            {
                // An earlier attempt's answer was lost; the object tells whether it was completed.
                if (await LengthAsync(client, options, key, limited) != length)
                {
                    throw;
                }
            }

            return true;
        });

    /// <summary>Gives an unfinished upload's parts back. It may be finished or aborted already.</summary>
    public static async Task AbortAsync(AmazonS3Client client, S3Calls calls, S3Options options, UnfinishedUpload upload, CancellationToken token) =>
        await calls.RepeatAsync("abort the upload of", upload.Key, token, async limited =>
        {
            try
            {
                await client.AbortMultipartUploadAsync(options.Bucket, options.FullKey(upload.Key), upload.UploadId, limited);
                return true;
            }
            catch (AmazonS3Exception failure) when (failure.ErrorCode == "NoSuchUpload")
            {
                return false;
            }
        });

    /// <summary>The length of an object, or null if there is none.</summary>
    public static async Task<long?> LengthAsync(AmazonS3Client client, S3Options options, string key, CancellationToken token)
    {
        try
        {
            return (await client.GetObjectMetadataAsync(options.Bucket, options.FullKey(key), token)).ContentLength;
        }
        catch (AmazonS3Exception failure) when (S3Errors.IsAbsent(failure))
        {
            return null;
        }
    }
}
