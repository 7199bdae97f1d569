using System.Diagnostics;
using System.Globalization;

namespace Millrace.Benchmarks.Scaling;

/// <summary>A command for <c>millrace.scaler.command</c> that starts and stops brokers of this machine, and what it was told.</summary>
/// <remarks>Owns what it has started: all of it ends with this.</remarks>
internal sealed class CalledBrokers : IDisposable
{
    // As docs/deploy/scaling has it: told twice, it starts nobody twice; and whoever is to stop has stopped when it ends.
    private const string Script = """
        #!/bin/sh
        set -eu
        cd "$(dirname "$0")"
        echo "$(date +%s.%N) $MILLRACE_SCALER_CURRENT $MILLRACE_SCALER_DESIRED" >> told
        runs() { [ -f "$1.pid" ] && kill -0 "$(cat "$1.pid")" 2> /dev/null; }
        if [ -n "$MILLRACE_SCALER_VICTIM" ]; then
            kill -TERM "$(cat "$MILLRACE_SCALER_VICTIM_NAME.pid")"
            while runs "$MILLRACE_SCALER_VICTIM_NAME"; do sleep 0.1; done
            rm "$MILLRACE_SCALER_VICTIM_NAME.pid"
            exit
        fi
        running=1
        for name in called1 called2 called3 called4; do ! runs $name || running=$((running + 1)); done
        for name in called1 called2 called3 called4; do
            [ "$running" -lt "$MILLRACE_SCALER_DESIRED" ] || exit 0
            ! runs $name || continue
            MILLRACE start --store STORE --wal object --name $name --data-dir ./$name --listen 127.0.0.1:0 --log-level warning \
                --set millrace.http.listener=127.0.0.1:0 > $name.ready 2>> $name.log < /dev/null &
            echo $! > $name.pid
            running=$((running + 1))
        done
        """;

    private readonly string _folder;

    /// <param name="folder">For its files and those of brokers.</param>
    /// <param name="store">The cluster's bucket.</param>
    public CalledBrokers(string folder, string store)
    {
        _folder = Directory.CreateDirectory(Path.Combine(folder, "called")).FullName;
        File.WriteAllText(
            Path.Combine(_folder, "command"),
            Script.Replace("MILLRACE start", $"{Path.Combine(Checkout.Root, "millrace")} start", StringComparison.Ordinal)
                .Replace("STORE", store, StringComparison.Ordinal));
    }

    /// <summary>Has it run by the brokers that are started with this.</summary>
    public string Setting => $"millrace.scaler.command=sh {_folder}/command";

    /// <summary>When it was run, and how many brokers there were and were to be.</summary>
    public IReadOnlyList<(DateTime At, int Current, int Desired)> Told =>
    [
        .. Lines("told").Select(static line => line.Split(' ')).Select(static words => (
            DateTime.UnixEpoch.AddSeconds(double.Parse(words[0], CultureInfo.InvariantCulture)),
            int.Parse(words[1], CultureInfo.InvariantCulture),
            int.Parse(words[2], CultureInfo.InvariantCulture))),
    ];

    public void Dispose()
    {
        foreach (var file in Directory.EnumerateFiles(_folder, "*.pid"))
        {
            try
            {
                using var broker = Process.GetProcessById(int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture));
                broker.Kill();
                broker.WaitForExit();
            }
            catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
            {
                // It has ended by itself.
            }
        }
    }

    private string[] Lines(string file) => Path.Combine(_folder, file) is var path && File.Exists(path) ? File.ReadAllLines(path) : [];
}
