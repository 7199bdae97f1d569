namespace Millrace.Controller.State;

/// <summary>By how much changes of streams change what refers to an object.</summary>
/// <param name="Count">Ranges and newest checkpoints.</param>
/// <param name="Bytes">Payload bytes of the ranges among them.</param>
internal readonly record struct ReferenceChange(int Count, long Bytes)
{
    public static ReferenceChange operator +(ReferenceChange one, ReferenceChange other) => new(one.Count + other.Count, one.Bytes + other.Bytes);
}
