using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios;

/// <summary>
/// A file or an object in which a bit has turned over. Whoever reads it may refuse to go on, and has to say because of what: a refusal
/// that names anything else hides a loss.
/// </summary>
/// <param name="Name">A key, or the end of a path, as messages name it.</param>
internal sealed record Rot(string Name)
{
    /// <summary>How many worlds have something rotten: enough to see it refused, and few, since what comes after is not audited there.</summary>
    public const double Share = 0.15;

    /// <summary>Of what has rotted, if anything has.</summary>
    public static Rot? Of(string? name) => name is null ? null : new Rot(name);

    /// <summary>Whether something was refused for what has rotted, by its own words: a WAL is named by where it lies.</summary>
    public bool IsNamedBy(Exception refused) =>
        refused.Message.Contains(Name, StringComparison.Ordinal)
        || refused is WalUnavailableException wal && Name.StartsWith(wal.Descriptor.Location, StringComparison.Ordinal)
        || refused.InnerException is { } inner && IsNamedBy(inner);
}
