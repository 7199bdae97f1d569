namespace Millrace.ObjectStorage;

/// <summary>Why a store cannot be relied on at present.</summary>
/// <param name="IsFull">It answers, and has no room left.</param>
/// <param name="Words">What it does or does not do, with its name; no full stop at the end.</param>
public sealed record StoreTrouble(bool IsFull, string Words);
