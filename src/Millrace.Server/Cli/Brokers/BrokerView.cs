using Millrace.Metadata.Configs;

namespace Millrace.Server.Cli.Brokers;

/// <summary>A broker as the command line shows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="State">Live, fenced (it did not leave in good order) or stopped.</param>
/// <param name="Host">Where clients reach it; null if those that come as this command did do not.</param>
/// <param name="Port">The port there.</param>
/// <param name="Rack">As its operator has set it.</param>
internal sealed record BrokerView(int Id, string State, string? Host, int? Port, string? Rack)
{
    public const string Live = "live";
    public const string Fenced = "fenced";
    public const string Stopped = "stopped";

    /// <summary>What it is called for good. This and what follows only our own brokers tell.</summary>
    public string? Name { get; init; }

    /// <summary>Whether it is cordoned or drained.</summary>
    public BrokerDuty? Duty { get; init; }

    /// <summary>The same in a word: all, cordoned or drained.</summary>
    public string? DutyInWords => Duty is { } duty ? InWords(duty) : null;

    /// <summary>Counts the incarnations of all nodes.</summary>
    public long? Epoch { get; init; }

    /// <summary>Where other brokers reach it.</summary>
    public string? Internal { get; init; }

    /// <summary>Those that it writes, the default first: kind and place.</summary>
    public IReadOnlyList<string>? Wals { get; init; }

    /// <summary>With its version.</summary>
    public string? Program { get; init; }

    public static string InWords(BrokerDuty duty) => duty.ToString().ToLowerInvariant();
}
