using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;
using Millrace.Runtime;

namespace Millrace.Cluster.Following;

/// <summary>The way to whoever is the controller at the moment. While nobody is known, who asks waits as long as its patience lasts.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class ControllerFinder : IControllerLink
{
    private readonly Lock _lock = new();
    private TaskCompletionSource<IControllerLink> _found = NewSearch();

    /// <summary>Whether there is one to ask.</summary>
    public bool HasFound
    {
        get
        {
            lock (_lock)
            {
                return _found.Task.IsCompleted;
            }
        }
    }

    /// <summary>Completes when there is one to ask.</summary>
    public Task WhenFoundAsync(CancellationToken token) => Search().OrCancelled(token);

    public void Found(IControllerLink link)
    {
        TaskCompletionSource<IControllerLink> found;
        lock (_lock)
        {
            if (_found.Task.IsCompleted)
            {
                _found = NewSearch();
            }

            found = _found;
        }

        found.SetResult(link);
    }

    /// <summary>One that was found is no way any more; nothing happens if another has been found since.</summary>
    public void Lost(IControllerLink link)
    {
        lock (_lock)
        {
            if (_found.Task.IsCompletedSuccessfully && ReferenceEquals(_found.Task.Result, link))
            {
                _found = NewSearch();
            }
        }
    }

    public async ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        var link = await Search().OrCancelled(token);
        try
        {
            return await link.CallAsync<TRequest, TResponse>(request, known, token);
        }
        catch (IOException lost)
        {
            // Whoever asks again waits until there is a way.
            Lost(link);
            return new(
                default,
                ControllerError.ControllerLost,
                $"The controller cannot be reached any more ({lost.Message}): what it was asked for may or may not have been done",
                null);
        }
    }

    private Task<IControllerLink> Search()
    {
        lock (_lock)
        {
            return _found.Task;
        }
    }

    private static TaskCompletionSource<IControllerLink> NewSearch() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
