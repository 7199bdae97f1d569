namespace Millrace.Benchmarks.Failover;

/// <summary>One way in which a broker is cut off from others.</summary>
/// <param name="From">From whom: <see cref="Targets"/>.</param>
/// <param name="OfController">Whether it is the controller's broker, or another.</param>
/// <param name="Outgoing">Whether what it sends does not arrive, or what is sent to it.</param>
/// <param name="Refused">Whether connections break, or everything is swallowed.</param>
internal sealed record Cut(string From, bool OfController, bool Outgoing, bool Refused)
{
    public static string[] Targets { get; } = ["peers", "store", "clients", "controller"];

    /// <summary>Every broker and every way, from some.</summary>
    public static IEnumerable<Cut> All(IEnumerable<string> targets) =>
        from target in targets
        from ofController in target == "controller" ? new[] { false } : [false, true]
        from refused in new[] { false, true }
        from outgoing in new[] { true, false }
        select new Cut(target, ofController, outgoing, refused);

    /// <summary>For a table.</summary>
    public override string ToString() =>
        $"{(OfController ? "the controller's" : "another")} | {From} | {(Outgoing ? "sends" : "receives")} | {(Refused ? "refused" : "swallowed")}";
}
