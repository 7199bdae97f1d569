namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>What a reader met at a place.</summary>
public enum LogStepKind
{
    /// <summary>An entry: decided, for ever, whoever wrote it.</summary>
    Entry,

    /// <summary>The seal that ends the term; the next step reads the first place of the next one.</summary>
    Seal,

    /// <summary>Nothing yet: the end of the log at the moment of reading.</summary>
    Tail,
}
