namespace Millrace.Cluster;

/// <summary>Who owns a term of the metadata log, and so is the controller, as far as somebody knows.</summary>
/// <param name="Id">As the seal that begins the term names it.</param>
/// <param name="Host">Where it answers other nodes.</param>
/// <param name="Port">Where it answers other nodes.</param>
/// <param name="Term">Of the log. A higher one is a later one.</param>
public sealed record TermOwner(Guid Id, string Host, int Port, long Term);
