using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;

namespace Millrace.Metadata.Channel;

/// <summary>The way to one controller: in this process, or by bytes to another. It carries, and neither waits for a feed nor asks anybody else.</summary>
/// <remarks>Threading: any thread. A message is not changed after it was handed over, by either side.</remarks>
public interface IControllerLink
{
    /// <param name="request">Goes in the highest version of its schema: the two ends understand each other's before either uses it.</param>
    /// <param name="known">The version of the image by which the sender asks.</param>
    /// <param name="token">Ends the wait, not the deed.</param>
    ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>;
}
