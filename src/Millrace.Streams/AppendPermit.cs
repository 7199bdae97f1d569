namespace Millrace.Streams;

/// <summary>Room for one append among the bytes that are not yet uploaded. Used up by the append, or given back by disposing.</summary>
public abstract class AppendPermit : IDisposable
{
    /// <summary>Gives the room back, unless an append has used it. May be called twice.</summary>
    public abstract void Dispose();
}
