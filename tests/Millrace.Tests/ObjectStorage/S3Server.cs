using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;
using Millrace.ObjectStorage;
using Millrace.Runtime;

namespace Millrace.Tests.ObjectStorage;

/// <summary>A real S3 server on the loopback, started by a script that prints how to reach it.</summary>
public sealed class S3Server
{
    private readonly Dictionary<string, string> _settings;

    private S3Server(Dictionary<string, string> settings) => _settings = settings;

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

    internal static async Task<S3Server> StartAsync(string script, string folder)
    {
        var output = await RunAsync(script, "start", folder, FreePort().ToString(CultureInfo.InvariantCulture));
        return new(output.Split(['\n', ' ']).Where(word => word.Contains('=', StringComparison.Ordinal))
            .Select(word => word.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]));
    }

    internal static async Task<string> RunAsync(string script, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", [script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{script} failed: {await errors}");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
