namespace Millrace.Controller.State;

/// <summary>Where an object is in its life. Numbers are stored.</summary>
internal enum ObjectPhase : byte
{
    /// <summary>Its id is handed out; the store may or may not hold something.</summary>
    Prepared = 1,

    /// <summary>Ranges of streams lie in it.</summary>
    Committed = 2,

    /// <summary>No commit of it counts any more; it goes from the store after a while.</summary>
    Deleting = 3,
}
