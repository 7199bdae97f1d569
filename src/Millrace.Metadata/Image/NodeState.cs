namespace Millrace.Metadata.Image;

/// <summary>Where an incarnation of a node is in its life. Numbers are stored.</summary>
public enum NodeState : byte
{
    /// <summary>Registered and not known to be dead: it may own streams.</summary>
    Live = 1,

    /// <summary>Shut out for good. Its streams wait for its WALs to be recovered.</summary>
    Fenced = 2,

    /// <summary>It closed every stream and left. Nothing waits for it.</summary>
    Stopped = 3,
}
