namespace Millrace.Server.Composition;

/// <summary>Is told of a node's incarnations as they come and go: whoever answers probes, and who watches the node in a simulation.</summary>
internal interface INodeObserver
{
    /// <summary>One serves clients from now on.</summary>
    void OnServing(Incarnation incarnation);

    /// <summary>It can go on no longer, and is being disposed of: nobody serves until the next one does.</summary>
    void OnOver(Incarnation incarnation, Exception reason);

    /// <summary>Nothing of it is left: it has answered for the last time.</summary>
    void OnGone(Incarnation incarnation);
}
