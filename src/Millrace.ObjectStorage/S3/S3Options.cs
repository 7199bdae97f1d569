namespace Millrace.ObjectStorage.S3;

/// <summary>Which bucket, and how to reach it. No credentials.</summary>
public sealed record S3Options
{
    public required string Bucket { get; init; }

    /// <summary>What every key begins with; empty, or ends in '/'.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Null for AWS itself.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Null for what the AWS tools would take.</summary>
    public string? Region { get; init; }

    /// <summary>The bucket in the path instead of the host name: what most stores but AWS want.</summary>
    public bool UsePathStyle { get; init; }

    /// <summary>Bodies above this go in parts of this size.</summary>
    public int PartBytes { get; init; } = 16 << 20;

    /// <summary>Parts of one body under way at once.</summary>
    public int PartsAtOnce { get; init; } = 4;

    /// <summary>Requests under way at once; more wait.</summary>
    public int RequestsAtOnce { get; init; } = 64;

    /// <summary>How long one request may take, beside the time that its bytes get.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    internal bool IsEncrypted => Endpoint is null || Endpoint.StartsWith("https:", StringComparison.OrdinalIgnoreCase);

    internal string FullKey(string key) => Prefix + key;
}
