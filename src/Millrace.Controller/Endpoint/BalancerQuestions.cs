using Millrace.Controller.Balancing;
using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Image;

namespace Millrace.Controller.Endpoint;

/// <summary>What is asked of the balancer: answered from memory.</summary>
internal sealed class BalancerQuestions(Balancer balancer)
{
    public DescribeBalancerResponse Describe(ClusterState state, DescribeBalancerRequest request)
    {
        var image = state.Cluster;
        var preview = request.Preview ? balancer.Preview(image) : null;
        return new DescribeBalancerResponse
        {
            ControllerId = image.Controller?.Value ?? -1,
            Mode = balancer.Mode(image).ToString().ToLowerInvariant(),
            Waits = preview is null ? balancer.Waits : preview.Waits,
            Actions =
            [
                .. balancer.History.Actions.Select(action => new DescribeBalancerResponse.Action
                {
                    Id = action.Id, At = action.At.ToUnixTimeMilliseconds(), IsBegun = action.IsBegun, Move = Describe(image, action.Move),
                }),
            ],
            Planned = [.. (preview?.Moves ?? []).Select(move => Describe(image, move))],
        };
    }

    private static DescribeBalancerResponse.Move Describe(MetadataImage image, BalanceMove move) => new()
    {
        Topic = image.NameOf(move.Topic),
        TopicId = move.Topic,
        Partition = move.Partition,
        From = move.From.Value,
        To = move.To.Value,
        Goal = (sbyte)move.Goal,
        Bytes = move.Bytes,
        FromBefore = move.FromLoad.Before,
        FromAfter = move.FromLoad.After,
        ToBefore = move.ToLoad.Before,
        ToAfter = move.ToLoad.After,
    };
}
