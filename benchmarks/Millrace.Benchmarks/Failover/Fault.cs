namespace Millrace.Benchmarks.Failover;

/// <summary>What befalls a cluster under load.</summary>
internal enum Fault
{
    /// <summary>One broker is killed that is not the controller's: the one that leads most.</summary>
    Broker,

    /// <summary>The controller's broker is killed.</summary>
    Controller,

    /// <summary>The controller's broker and another are killed at once.</summary>
    Both,

    /// <summary>The controller's broker is stopped, and goes on when all is over.</summary>
    StoppedController,

    /// <summary>A broker that is not the controller's is stopped, and goes on when all is over.</summary>
    StoppedBroker,

    /// <summary>A broker's packets do not reach the others any more, whichever it is, for a while; needs hosts of their own.</summary>
    Cut,

    /// <summary>One after another is killed, whichever it is.</summary>
    Each,

    /// <summary>All are killed and started again at once; what is measured begins when the last of them is ready.</summary>
    All,

    /// <summary>Chance chooses, each time anew, among all that befall one broker or two.</summary>
    Any,
}
