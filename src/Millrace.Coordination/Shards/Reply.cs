namespace Millrace.Coordination.Shards;

/// <summary>Somebody's wait for an answer. A shard gives the answer; the runtime delivers it when what it says is durable.</summary>
internal abstract class Reply
{
    /// <summary>Its place among the replies that the runtime still owes.</summary>
    internal LinkedListNode<Reply>? Owed { get; set; }

    /// <summary>Lets the waiting caller see the answer given.</summary>
    internal abstract void Deliver();

    /// <summary>Ends the wait with a <see cref="CoordinatorException"/>, whether or not an answer was given.</summary>
    internal abstract void Fail(CoordinatorError error);
}
