namespace Millrace.Server.Composition;

/// <summary>What the end of an incarnation means for the next one.</summary>
internal enum EndKind
{
    /// <summary>The next one would not meet it, or not for long: it was fenced, the WAL failed, the store was away.</summary>
    Passing,

    /// <summary>The next one would meet it again, until somebody does something: the process ends with the reason.</summary>
    Lasting,

    /// <summary>A fault of the program: nobody knows what else is wrong by now, so the process ends.</summary>
    Fault,
}
