namespace Millrace.Runtime;

/// <summary>One name in a folder.</summary>
public readonly record struct FileEntry(string Name, bool IsDirectory);
