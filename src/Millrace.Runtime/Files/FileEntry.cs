namespace Millrace.Runtime.Files;

/// <summary>One name in a folder.</summary>
public readonly record struct FileEntry(string Name, bool IsDirectory);
