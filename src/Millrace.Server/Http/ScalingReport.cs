using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Runtime;

namespace Millrace.Server.Http;

/// <summary>
/// <c>/cluster/scaling</c>: how many brokers there are and should be, as one flat JSON object, for whoever starts and stops them by a number (KEDA's
/// metrics-api scaler reads <c>desired</c>). Any broker asks the controller.
/// </summary>
/// <remarks>Where <c>desired</c> is not known, it is not there and the status is 503: nobody may take silence for a number. Threading: any thread.</remarks>
/// <param name="runtime">Whose time counts.</param>
internal sealed class ScalingReport(NodeRuntime runtime)
{
    // Less than any poller waits.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly JsonSerializerOptions Style = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private volatile IControllerChannel? _controller;

    /// <summary>The node belongs to its cluster: this is the way to its controller.</summary>
    public void Uses(IControllerChannel controller) => _controller = controller;

    public async Task<(bool IsGood, string Json)> AskAsync(CancellationToken token)
    {
        if (_controller is not { } controller)
        {
            return (false, Refused("The broker starts."));
        }

        using var limit = new CancellationTokenSource(Patience, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, token);
        try
        {
            var told = await controller.SendAsync<DescribeScalerRequest, DescribeScalerResponse>(
                new DescribeScalerRequest { TimeoutMs = (int)Patience.TotalMilliseconds }, either.Token);
            return told.Desired < 0 ? (false, Refused(told.Why)) : (true, Describe(told));
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            return (false, Refused("The controller does not answer."));
        }
        catch (ControllerException refusal)
        {
            return (false, Refused(refusal.Message));
        }
    }

    private static string Refused(string why) => new JsonObject { ["error"] = why }.ToJsonString(Style);

    private static string Describe(DescribeScalerResponse told) => new JsonObject
    {
        ["mode"] = told.Mode,
        ["current"] = told.Current,
        ["desired"] = told.Desired,
        ["min"] = told.Min,
        ["max"] = told.Max,
        ["serving"] = told.Serving,
        ["needed"] = told.Need?.Brokers,
        ["cpu"] = told.Need?.Cpu,
        ["targetCpu"] = told.Need?.TargetCpu,
        ["bytesPerSecond"] = told.Need?.Bytes,
        ["targetBytesPerSecond"] = told.Need?.TargetBytes,
        ["victim"] = told.Victim < 0 ? null : told.Victim,
        ["controller"] = told.ControllerId,
        ["why"] = told.Why,
    }.ToJsonString(Style);
}
