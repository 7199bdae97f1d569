using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;

namespace Millrace.Metadata.Channel;

/// <summary>A node's channel: a link to the controller, and the node's own feed of metadata, which its answers are compared with.</summary>
/// <remarks>
/// A request names the version of the feed's image, so that no controller judges it that knows less than its sender; and the answer's version is
/// waited for, so that read-your-writes holds wherever the feed comes from.
/// </remarks>
public sealed class ControllerChannel(IControllerLink link, IMetadataFeed feed) : IControllerChannel
{
    public async ValueTask<TResponse> SendAsync<TRequest, TResponse>(TRequest request, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        var answer = await link.CallAsync<TRequest, TResponse>(request, feed.Image.Version, token);
        if (answer.Error != ControllerError.None)
        {
            throw new ControllerException(answer.Error, answer.Message ?? $"The controller refuses: {answer.Error}");
        }

        if (feed.Image.Version < answer.Version)
        {
            await feed.WaitAsync(image => image.Version >= answer.Version, token);
        }

        return answer.Response!;
    }
}
