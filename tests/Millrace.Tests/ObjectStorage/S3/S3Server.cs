using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;
using Millrace.ObjectStorage.S3;
using Millrace.Runtime;

namespace Millrace.Tests.ObjectStorage.S3;

/// <summary>A real S3 server on the loopback, started by a script that prints how to reach it.</summary>
public sealed class S3Server
{
    private const int StartAttempts = 4;
    private readonly Dictionary<string, string> _settings;
    private readonly Func<Task> _stop;

    private S3Server(Dictionary<string, string> settings, Func<Task> stop)
    {
        _settings = settings;
        _stop = stop;
    }

    /// <summary>A part of the server's bucket that nobody else uses.</summary>
    internal S3ObjectStorage Open(NodeRuntime runtime, Func<S3Options, S3Options>? adjust = null)
    {
        var options = new S3Options
        {
            Bucket = _settings["S3_BUCKET"],
            Endpoint = _settings["S3_ENDPOINT"],
            UsePathStyle = true,
            Prefix = $"{runtime.NewId():N}/",
        };
        return new(runtime, adjust?.Invoke(options) ?? options, new BasicAWSCredentials(_settings["S3_ACCESS_KEY"], _settings["S3_SECRET_KEY"]));
    }

    /// <param name="script">Knows <c>start FOLDER PORT</c>, and the command that ends it.</param>
    /// <param name="folder">For its data.</param>
    /// <param name="endCommand">What ends it, given the folder.</param>
    internal static async Task<S3Server> StartAsync(string script, string folder, string endCommand)
    {
        for (var attempt = 1; ; attempt++)
        {
            var place = Path.Combine(folder, $"{attempt}");
            try
            {
                return await StartAsync(script, place, endCommand, FreePort());
            }
            catch (InvalidOperationException) when (attempt < StartAttempts)
            {
                // The ports that it derives from ours may be another's.
                await RunAsync(script, endCommand, place);
            }
        }
    }

    /// <summary>Where it serves.</summary>
    internal string Endpoint => _settings["S3_ENDPOINT"];

    /// <summary>The URI of a part of the bucket, for a broker in a process of its own.</summary>
    internal string Uri(string prefix) => $"s3://{_settings["S3_BUCKET"]}/{prefix}?endpoint={_settings["S3_ENDPOINT"]}&path-style=true";

    /// <summary>What such a process needs in its environment.</summary>
    internal IReadOnlyList<(string Name, string Value)> Credentials =>
        [("AWS_ACCESS_KEY_ID", _settings["S3_ACCESS_KEY"]), ("AWS_SECRET_ACCESS_KEY", _settings["S3_SECRET_KEY"])];

    /// <summary>Starts it, or starts it again, at a port of the caller's choice.</summary>
    internal static async Task<S3Server> StartAsync(string script, string folder, string endCommand, int port)
    {
        var output = await RunAsync(script, "start", folder, port.ToString(CultureInfo.InvariantCulture));
        var settings = output.Split(['\n', ' ']).Where(word => word.Contains('=', StringComparison.Ordinal))
            .Select(word => word.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        return new(settings, () => RunAsync(script, endCommand, folder));
    }

    internal async Task StopAsync() => await _stop();

    private static async Task<string> RunAsync(string script, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", [script, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{script} failed: {await errors}");
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
