namespace Millrace.Network.Requests;

/// <summary>Slows clients down that ask for more than their share.</summary>
/// <remarks>Threading: any thread; must neither block nor throw. The pauses of a client's connections are not added up here.</remarks>
internal interface IThrottle
{
    /// <summary>
    /// Charges a request to whoever sent it, and says for how long its connection has to pause. It is handled and answered at once: the answer
    /// tells the client of the pause, and the connection's next request is not begun before it is over (KIP-219).
    /// </summary>
    TimeSpan Charge(RequestCall call);
}
