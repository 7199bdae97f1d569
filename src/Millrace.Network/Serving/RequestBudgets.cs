using Millrace.Protocol;

namespace Millrace.Network.Serving;

/// <summary>Bounds the bytes of all requests under way on the node, in two shares (<see cref="NetworkOptions.WaitsForStore"/>).</summary>
internal sealed class RequestBudgets(NetworkOptions options)
{
    public RequestBudget WaitingForStore { get; } = new(options.MaxRequestBytes);

    public RequestBudget Others { get; } = new(options.MaxOtherRequestBytes);

    public long Used => WaitingForStore.Used + Others.Used;

    public RequestBudget For(ApiKey api) => api == options.WaitsForStore ? WaitingForStore : Others;
}
