namespace Millrace.Benchmarks.Failover;

/// <summary>
/// Hosts of their own on this machine: network namespaces on one bridge, which can be cut off from each other one way at a time. Needs root, and the
/// programs <c>ip</c> and <c>nft</c>.
/// </summary>
internal sealed class SeparateHosts : IDisposable
{
    private const string Network = "10.213.77";

    // Names of network devices have at most 15 characters.
    private readonly string _prefix = $"m{Environment.ProcessId}";
    private readonly int _count;

    public SeparateHosts(int count)
    {
        _count = count;
        Ip($"link add {_prefix}br type bridge");
        Ip($"addr add {Client}/24 dev {_prefix}br");
        Ip($"link set {_prefix}br up");
        for (var host = 0; host < count; host++)
        {
            var name = NameOf(host);
            Ip($"netns add {name}");
            Ip($"link add {name}v type veth peer name eth0 netns {name}");
            Ip($"link set {name}v master {_prefix}br up");
            Ip($"-n {name} addr add {AddressOf(host)}/24 dev eth0");
            Ip($"-n {name} link set eth0 up");
            Ip($"-n {name} link set lo up");
            Nft(host, "add table ip cuts");
            Nft(host, "add chain ip cuts in { type filter hook input priority 0; }");
            Nft(host, "add chain ip cuts out { type filter hook output priority 0; }");
        }
    }

    /// <summary>Where this process is.</summary>
    public static string Client => $"{Network}.254";

    public static string AddressOf(int host) => $"{Network}.{host + 1}";

    /// <summary>What a command line begins with that is to run on a host.</summary>
    public string[] On(int host) => ["ip", "netns", "exec", NameOf(host)];

    /// <summary>Drops what a host sends to others, or gets from them; or refuses it, so that connections break.</summary>
    public void Cut(int host, IEnumerable<string> others, bool outgoing, bool refuse)
    {
        var action = refuse ? "reject with tcp reset" : "drop";
        foreach (var other in others)
        {
            Nft(host, $"add rule ip cuts {(outgoing ? "out ip daddr" : "in ip saddr")} {other} {(refuse ? "meta l4proto tcp " : "")}{action}");
        }
    }

    /// <summary>Takes all cuts of a host back.</summary>
    public void Heal(int host) => Nft(host, "flush table ip cuts");

    public void Dispose()
    {
        for (var host = 0; host < _count; host++)
        {
            Ip($"netns del {NameOf(host)}");
        }

        Ip($"link del {_prefix}br");
    }

    private string NameOf(int host) => $"{_prefix}h{host}";

    private void Nft(int host, string rule) => ProgramRun.Run("ip", ["netns", "exec", NameOf(host), "nft", rule]);

    private static void Ip(string arguments) => ProgramRun.Run("ip", arguments.Split(' '));
}
