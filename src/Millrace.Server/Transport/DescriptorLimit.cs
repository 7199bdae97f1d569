using System.Globalization;
using System.Text;
using Millrace.Network.Serving;
using Millrace.Runtime;
using Millrace.Server.Http;

namespace Millrace.Server.Transport;

/// <summary>
/// How many files and sockets the process may have open (RLIMIT_NOFILE), and how many of them clients may take. Where none is
/// left, the runtime itself cannot go on: it opens files to load code, and ends the process when it cannot.
/// </summary>
/// <remarks>.NET raises the soft limit to the hard one when a process starts; what is read here is what came of it.</remarks>
internal static class DescriptorLimit
{
    /// <summary>
    /// Never given to clients: 200 of the program's own (each file of code that is loaded counts twice), <see cref="HttpEndpoints.MaxConnections"/>,
    /// 64 connections to the store, and 84 for files of the WAL and of a store in a folder.
    /// </summary>
    public const int KeptBack = 448;

    /// <summary>A broker that could serve fewer connections than this is not started.</summary>
    public const int FewestConnections = 64;

    // Whoever has not asked for more and has these need not be warned at every start.
    private const int Plenty = 10_000;
    private const string LimitsFile = "/proc/self/limits";
    private const string Label = "Max open files";

    /// <summary>Bounds the connections by what the process may have open, and says so where that is less than was asked for.</summary>
    /// <param name="runtime">Its files and logs.</param>
    /// <param name="wanted">What is set.</param>
    /// <param name="isAskedFor">The number of connections was set, and is not just the default.</param>
    /// <param name="token">Ends the reading.</param>
    /// <exception cref="NodeStartException">The limit leaves too little to serve anybody.</exception>
    public static async ValueTask<NetworkOptions> ApplyAsync(NodeRuntime runtime, NetworkOptions wanted, bool isAskedFor, CancellationToken token)
    {
        var text = new byte[8192];
        var count = await runtime.Files.ReadAsync(LimitsFile, 0, text, token);
        if (Parse(Encoding.ASCII.GetString(text, 0, Math.Max(count, 0))) is not { } limit || limit - KeptBack >= wanted.MaxConnections)
        {
            return wanted;
        }

        if (limit < KeptBack + FewestConnections)
        {
            throw new NodeStartException(
                $"The process may have only {limit} files open, and needs at least {KeptBack + FewestConnections}. " +
                "Raise the limit (ulimit -n, systemd's LimitNOFILE=).");
        }

        var connections = (int)(limit - KeptBack);
        ServerMessages.FewDescriptors(
            runtime.Loggers.CreateLogger(typeof(DescriptorLimit)),
            isAskedFor || connections < Plenty ? LogLevel.Warning : LogLevel.Debug,
            limit,
            KeptBack,
            connections,
            wanted.MaxConnections,
            (long)wanted.MaxConnections + KeptBack);
        return wanted with { MaxConnections = connections, MaxConnectionsSetBy = $"the limit of {limit} open files (ulimit -n, systemd's LimitNOFILE=)" };
    }

    /// <summary>The soft limit of open files, out of the lines of <c>/proc/self/limits</c>; null if there is none.</summary>
    internal static long? Parse(string limits)
    {
        var line = limits.Split('\n').FirstOrDefault(line => line.StartsWith(Label, StringComparison.Ordinal));
        var soft = line?[Label.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
    }
}
