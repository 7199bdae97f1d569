namespace Millrace.Streams.Recovery;

/// <summary>Where the time of a recovery went, once its WAL was sealed.</summary>
/// <param name="Reading">Reading the WAL.</param>
/// <param name="Committing">Writing objects and committing them, between pieces of the reading.</param>
/// <param name="Completing">Having the share closed, and led by its new leader.</param>
public readonly record struct RecoveryTimes(TimeSpan Reading, TimeSpan Committing, TimeSpan Completing);
