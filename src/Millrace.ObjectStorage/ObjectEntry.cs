namespace Millrace.ObjectStorage;

/// <summary>One object in a list.</summary>
/// <param name="Key">Relative to the store's prefix.</param>
/// <param name="Size">Bytes.</param>
public readonly record struct ObjectEntry(string Key, long Size);
