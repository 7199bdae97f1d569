using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Network.Links;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Following;

/// <summary>The ways to those who lead what is followed here.</summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="runtime">The node's.</param>
/// <param name="peers">Connects to other nodes.</param>
/// <param name="self">Who asks.</param>
internal sealed class LeaderLinks(NodeRuntime runtime, IConnectionFactory peers, NodeId self) : IAsyncDisposable
{
    // A leader that is well answers a question in milliseconds. Who waits for it is a consumer that can go there itself.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();

    // For questions, which are answered at once: one for each leader, for all partitions.
    private readonly Dictionary<PeerAddress, Task<PeerConnection>> _shared = [];
    private bool _isOver;

    public NodeId Self => self;

    /// <summary>Whether a call failed since its way did: then another way, or the next attempt, may succeed.</summary>
    public static bool IsLoss(Exception failure) => failure is IOException or SocketException or ProtocolException;

    /// <summary>Connects to a leader, for one that asks nobody else and is asked by nobody.</summary>
    /// <exception cref="IOException">There is no way, as with any exception that <see cref="IsLoss"/> knows; none within two seconds.</exception>
    public async Task<PeerConnection> ConnectAsync(PeerAddress leader, CancellationToken token)
    {
        using var patience = new CancellationTokenSource(Patience, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
        try
        {
            return new PeerConnection(runtime, await peers.ConnectAsync(new DnsEndPoint(leader.Host, leader.Port), either.Token), $"{self}-follower");
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            throw new IOException($"{leader} could not be reached within {Patience.TotalSeconds:0.###} s");
        }
    }

    /// <summary>Asks a leader something that it answers at once.</summary>
    /// <exception cref="IOException">As for <see cref="ConnectAsync"/>.</exception>
    public async Task<FollowPartitionResponse> AskAsync(PeerAddress leader, FollowPartitionRequest request, CancellationToken token)
    {
        using var patience = new CancellationTokenSource(Patience, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
        var link = Share(leader);
        try
        {
            return await (await link.OrCancelled(either.Token)).CallAsync<FollowPartitionRequest, FollowPartitionResponse>(request, either.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            // Those behind it would wait for its answer, too.
            Forget(leader, link);
            throw new IOException($"{leader} did not answer within {Patience.TotalSeconds:0.###} s");
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            Forget(leader, link);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task<PeerConnection>[] links;
        lock (_lock)
        {
            _isOver = true;
            links = [.. _shared.Values];
            _shared.Clear();
        }

        foreach (var link in links)
        {
            await CloseAsync(link);
        }
    }

    private Task<PeerConnection> Share(PeerAddress leader)
    {
        lock (_lock)
        {
            return _isOver ? Task.FromException<PeerConnection>(new IOException("This broker follows nothing any more"))
                : _shared.TryGetValue(leader, out var link) ? link : _shared[leader] = ConnectAsync(leader, runtime.Stopping);
        }
    }

    private void Forget(PeerAddress leader, Task<PeerConnection> link)
    {
        lock (_lock)
        {
            if (_shared.GetValueOrDefault(leader) != link)
            {
                return;
            }

            _shared.Remove(leader);
        }

        _ = runtime.Spawn("leader-link-close", _ => CloseAsync(link));
    }

    private static async Task CloseAsync(Task<PeerConnection> link)
    {
        try
        {
            await (await link).DisposeAsync();
        }
        catch (Exception)
        {
            // It never came about, as those know who waited for it.
        }
    }
}
