namespace Millrace.Server.Cli.Brokers;

/// <summary>A topic that asks for a WAL which some brokers that live do not have.</summary>
/// <param name="Topic">Its name.</param>
/// <param name="Wal">As it asks for it.</param>
/// <param name="Brokers">Their ids.</param>
internal sealed record UnmetWalView(string Topic, string Wal, IReadOnlyList<int> Brokers);
