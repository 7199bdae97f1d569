namespace Millrace.Streams;

/// <summary>
/// What a hand-over rests on from when the registry is asked to close a stream until it is known what became of that. The simulator replaces it, to prove that
/// its checkers would notice a mistake.
/// </summary>
internal class HandOverRules
{
    public static HandOverRules Default { get; } = new();

    /// <summary>Whether another may own a stream, so that nothing that is known here may be told of it any more.</summary>
    /// <param name="isAsked">The registry is being asked to close it, or was, or it is lost.</param>
    public virtual bool MayHaveMoved(bool isAsked) => isAsked;

    /// <summary>Whether a stream that was only to be handed over may be taken back.</summary>
    /// <param name="isAsked">The registry is being asked to close it, or was.</param>
    public virtual bool MayBeTakenBack(bool isAsked) => !isAsked;
}
