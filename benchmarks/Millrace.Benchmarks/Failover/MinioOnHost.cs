using System.Diagnostics;

namespace Millrace.Benchmarks.Failover;

/// <summary>A MinIO server on a host of its own.</summary>
internal sealed class MinioOnHost : IDisposable
{
    private const int Port = 9000;
    private readonly Process _process;

    /// <param name="program">The server.</param>
    /// <param name="folder">For its data.</param>
    /// <param name="hosts">Among which it runs.</param>
    /// <param name="host">On which.</param>
    public MinioOnHost(string program, string folder, SeparateHosts hosts, int host)
    {
        Directory.CreateDirectory(Path.Combine(folder, "test"));
        var on = hosts.On(host);
        var start = new ProcessStartInfo(on[0], [.. on[1..], program, "server", "--address", $"{SeparateHosts.AddressOf(host)}:{Port}", folder])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["MINIO_ROOT_USER"] = "testaccess", ["MINIO_ROOT_PASSWORD"] = "testsecret", ["MINIO_BROWSER"] = "off", ["MINIO_UPDATE"] = "off",
            },
        };
        _process = Process.Start(start)!;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Store = $"s3://test/millrace?endpoint=http://{SeparateHosts.AddressOf(host)}:{Port}";
    }

    /// <summary>For <c>--store</c>.</summary>
    public string Store { get; }

    public static IReadOnlyDictionary<string, string> Credentials { get; } = new Dictionary<string, string>
    {
        ["AWS_ACCESS_KEY_ID"] = "testaccess", ["AWS_SECRET_ACCESS_KEY"] = "testsecret", ["AWS_REGION"] = "us-east-1",
    };

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
