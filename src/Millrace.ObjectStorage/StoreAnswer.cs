namespace Millrace.ObjectStorage;

/// <summary>What became of a small write to a store.</summary>
public enum StoreAnswer
{
    /// <summary>None came in time, or none that says anything: the store is away, or the way to it.</summary>
    None,

    /// <summary>It answers, and does not do it: it is full, or may not be written to.</summary>
    Refused,

    Done,
}
