namespace Millrace.Streams;

/// <summary>
/// What a hand-over rests on from when the registry is asked to close a stream until it is known what became of that. The simulator replaces it, to prove that
/// its checkers would notice a mistake.
/// </summary>
internal class HandOverRules
{
    public static HandOverRules Default { get; } = new();

    /// <summary>Whether a stream that was only to be handed over may be taken back.</summary>
    /// <param name="isAsked">The registry is being asked to close it, or was.</param>
    public virtual bool MayBeTakenBack(bool isAsked) => !isAsked;
}
