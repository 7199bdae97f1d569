using Millrace.Runtime;

namespace Millrace.Server.Options;

/// <summary>
/// AutoMQ's names of buckets and WALs: <c>0@s3://bucket?region=…&amp;endpoint=…&amp;pathStyle=true</c>, <c>0@file:///path?capacity=…</c>.
/// The number in front is an index of the bucket.
/// </summary>
internal static class AutoMqUri
{
    private static readonly string[] Secrets = ["accessKey", "secretKey"];

    /// <exception cref="FormatException">It is none that can be used here. The message repeats nothing that could be secret.</exception>
    public static Translation Store(string text)
    {
        var uri = Parse(text);
        return uri.Scheme switch
        {
            "s3" => new Translation(
                "s3.data.buckets", ServerSettings.Store, S3(uri),
                "what AutoMQ has written there is not read. " +
                "Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or where else the AWS tools find them, not from KAFKA_S3_ACCESS_KEY"),
            "file" => new Translation("s3.data.buckets", ServerSettings.Store, "file://" + uri.Path),
            _ => throw uri.Refuse("is not a store: write 0@s3://BUCKET?region=NAME&endpoint=URL"),
        };
    }

    /// <inheritdoc cref="Store"/>
    public static Translation Wal(string text)
    {
        var uri = Parse(text);
        return uri.Scheme switch
        {
            "s3" => new Translation("s3.wal.path", ServerSettings.Wal, WalChoice.InStore, "in the same bucket as the records"),
            "file" when uri.Path.StartsWith("/dev/", StringComparison.Ordinal) =>
                new Translation(
                    "s3.wal.path", ServerSettings.Wal, $"block://{uri.Path}{Capacity(uri)}", "a device, which other brokers take over by its reservations"),
            "file" => new Translation("s3.wal.path", ServerSettings.Wal, $"file://{uri.Path}{Capacity(uri)}", "a folder"),
            _ => throw uri.Refuse("is not a WAL: write 0@s3://BUCKET for one in the store, or 0@file:///FOLDER"),
        };
    }

    private static string Capacity(ComponentUri uri) => uri.TakeBytes("capacity") is { } bytes ? $"?capacity={bytes}" : "";

    private static ComponentUri Parse(string text)
    {
        if (text.Contains(',', StringComparison.Ordinal))
        {
            throw new FormatException("One bucket is supported, not several");
        }

        var at = text.IndexOf('@', StringComparison.Ordinal);
        var uri = ComponentUri.Parse(at > 0 && text.AsSpan(0, at).IndexOfAnyExceptInRange('0', '9') < 0 ? text[(at + 1)..] : text);
        return Secrets.FirstOrDefault(secret => uri.Take(secret) is not null) is { } found
            ? throw uri.Refuse(
                $"holds credentials ('{found}'), which would end up in logs and process lists: put them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
            : uri;
    }

    private static string S3(ComponentUri uri)
    {
        if (uri.Authority.Length == 0)
        {
            throw uri.Refuse("names no bucket");
        }

        var settings = new[] { ("endpoint", uri.Take("endpoint")), ("region", uri.Take("region")), ("path-style", uri.Take("pathStyle")) }
            .Where(setting => !string.IsNullOrEmpty(setting.Item2))
            .Select(setting => $"{setting.Item1}={setting.Item2}");
        var query = string.Join('&', settings);
        return $"s3://{uri.Authority}{uri.Path}{(query.Length > 0 ? "?" + query : "")}";
    }
}
