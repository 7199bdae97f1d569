using Millrace.Protocol;

namespace Millrace.Network.Serving;

/// <summary>Bounds the bytes of all requests under way on the node, in two shares.</summary>
/// <remarks>
/// Produces wait for the store, all together and for as long as it is away. They have a share of their own, so that what they
/// fill is never what a heartbeat, a commit or a question for metadata on another connection waits for.
/// </remarks>
internal sealed class RequestBudgets(NetworkOptions options)
{
    private readonly RequestBudget _produces = new(options.MaxRequestBytes);
    private readonly RequestBudget _others = new(options.MaxOtherRequestBytes);

    public long Used => _produces.Used + _others.Used;

    public RequestBudget For(ApiKey api) => api == ApiKey.Produce ? _produces : _others;
}
