using System.Net;
using Millrace.Metadata.Image;

namespace Millrace.Network.Access;

/// <summary>What is known of a client's connection.</summary>
internal sealed class ClientConnection(string id, EndPoint? remote, ListenerName listener)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Unique in this process; for logs.</summary>
    public string Id => id;

    public EndPoint? Remote => remote;

    /// <summary>The listener it came in by: answers name brokers by their addresses on the same one.</summary>
    public ListenerName Listener => listener;

    /// <summary>
    /// What those who handle its requests keep for as long as it lasts; null as long as they have nothing. Touched by the one request whose turn it is to
    /// begin.
    /// </summary>
    public object? Kept { get; set; }

    /// <summary>Completes when the connection has ended, whoever ended it.</summary>
    public Task Ended => _ended.Task;

    public void End() => _ended.TrySetResult();
}
