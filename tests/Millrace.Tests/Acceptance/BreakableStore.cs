using Millrace.Tests.Clients;
using Millrace.Tests.ObjectStorage.S3;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>A real S3 server that a test takes away from a broker and brings back, at the same address and with the same objects.</summary>
internal sealed class BreakableStore : IAsyncDisposable
{
    private readonly string _script;
    private readonly string _folder;
    private readonly int _port;

    private BreakableStore(string script, string folder, int port, S3Server server) => (_script, _folder, _port, Server) = (script, folder, port, server);

    public S3Server Server { get; }

    /// <summary>Skips the test where no such server is at hand.</summary>
    public static async Task<BreakableStore> StartAsync(string folder)
    {
        var script = Repository.Shared("testbeds/minio/minio.sh");
        Assert.SkipWhen(script is null, "testbeds/minio is not at hand");
        var port = S3Server.FreePort();
        return new BreakableStore(script, folder, port, await S3Server.StartAsync(script, folder, "stop", port));
    }

    /// <summary>Sends its process a signal: KILL takes it away, STOP lets it say nothing any more, CONT ends that.</summary>
    public async Task SignalAsync(string signal)
    {
        var pid = (await File.ReadAllTextAsync(Path.Combine(_folder, "minio.pid"))).Trim();
        await Tool.RunAsync("kill", [$"-{signal}", pid]);
    }

    /// <summary>Brings one back that was killed.</summary>
    public Task RestartAsync() => S3Server.StartAsync(_script, _folder, "stop", _port);

    public async ValueTask DisposeAsync() => await Server.StopAsync();
}
