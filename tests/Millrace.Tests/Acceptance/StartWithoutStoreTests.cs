using System.Diagnostics;
using Millrace.Tests.Clients;
using Millrace.Tests.ObjectStorage.S3;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>The program started on stores that are away, refuse, or say nothing.</summary>
public sealed class StartWithoutStoreTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_store_that_never_answers_is_named_and_a_start_that_waits_for_it_ends_when_it_is_told_to()
    {
        await using var server = new ScriptedServer(_ => null);
        await WaitsAndEndsAsync(server, "does not answer");
    }

    [Fact]
    public async Task A_throttled_store_is_waited_for_with_a_warning_that_names_it_and_its_answer()
    {
        await using var server = new ScriptedServer(_ => (503, ScriptedServer.Error("SlowDown")));
        await WaitsAndEndsAsync(server, "503 SlowDown");
    }

    [Theory]
    // Long enough for an answer on any machine.
    [InlineData(503, "SlowDown", 5, 15_000)]
    // Nobody waits for these.
    [InlineData(403, "AccessDenied", 1, 60_000)]
    [InlineData(404, "NoSuchBucket", 1, 60_000)]
    public async Task A_start_that_gives_up_says_whether_it_was_for_now_or_for_good(int status, string code, int exitCode, int waitMs)
    {
        await using var server = new ScriptedServer(_ => (status, ScriptedServer.Error(code)));
        using var process = Start(server, "--set", $"millrace.start.store.wait.ms={waitMs}");
        var errors = await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        Assert.Equal(exitCode, process.ExitCode);
        Assert.Contains(server.Endpoint, errors, StringComparison.Ordinal);
        Assert.Contains($"{status} {code}", errors, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Dispose();

    private async Task WaitsAndEndsAsync(ScriptedServer server, string said)
    {
        using var process = Start(server);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
            limit.CancelAfter(TimeSpan.FromSeconds(90));
            string? line;
            do
            {
                line = await process.StandardError.ReadLineAsync(limit.Token);
                Assert.NotNull(line);
            }
            while (!line.Contains(said, StringComparison.Ordinal));

            Assert.Contains(server.Endpoint, line, StringComparison.Ordinal);
            await Tool.RunAsync("kill", ["-TERM", $"{process.Id}"]);
            var rest = process.StandardError.ReadToEndAsync(limit.Token);
            limit.CancelAfter(TimeSpan.FromSeconds(20));
            await process.WaitForExitAsync(limit.Token);
            Assert.Equal((0, ""), (process.ExitCode, await rest));
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private Process Start(ScriptedServer server, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            MillraceProcess.Program,
            [
                "start", "--data-dir", _directory.Path, "--listen", "127.0.0.1:0",
                "--store", $"s3://b/x?endpoint={server.Endpoint}", "--wal", "object", .. arguments,
            ])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        (start.Environment["AWS_ACCESS_KEY_ID"], start.Environment["AWS_SECRET_ACCESS_KEY"]) = ("a", "b");
        return Process.Start(start)!;
    }
}
