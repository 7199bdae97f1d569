namespace Millrace.Server.Composition;

/// <summary>Finds out whether a broker is alive: what a start asks before it takes a cluster over.</summary>
internal interface IPeerProbe
{
    /// <summary>Whether a broker of a cluster answers at an address. Silence, refusal and strangers are all "no".</summary>
    ValueTask<bool> AnswersAsync(string host, int port, string clusterId, CancellationToken token);
}
