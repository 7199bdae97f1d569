using System.Runtime.Versioning;
using Millrace.Controller.Scaling;
using Millrace.Runtime.Ids;
using Millrace.Server.Scaling;
using Xunit;

namespace Millrace.Tests.Launchers;

/// <summary>The scripts in <c>docs/deploy/scaling</c> are commands of the scaler as they are; what they call is a stand-in here.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ScalingRecipesTests : IDisposable
{
    private const string Cost = "controller.kubernetes.io/pod-deletion-cost";
    private static readonly string Folder = Path.Combine(Repository.Root, "docs", "deploy", "scaling");
    private static readonly ScaleOrder More = new(2, 3, null, null);
    private static readonly ScaleOrder Less = new(3, 2, new NodeId(7), "seven");

    private readonly RealNode _node = new();

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task An_Auto_Scaling_group_gets_its_number_or_loses_the_one_instance_and_by_a_second_order_no_other()
    {
        Assert.Equal(["aws autoscaling set-desired-capacity --auto-scaling-group-name g --desired-capacity 3"], await RunAsync("aws-asg.sh g", More, "aws"));

        var asked = "aws autoscaling describe-auto-scaling-instances --instance-ids seven --output text "
            + "--query AutoScalingInstances[?AutoScalingGroupName=='g'].LifecycleState";
        Assert.Equal(
            [
                asked,
                "aws autoscaling set-instance-protection --auto-scaling-group-name g --instance-ids seven --no-protected-from-scale-in",
                "aws autoscaling terminate-instance-in-auto-scaling-group --instance-id seven --should-decrement-desired-capacity",
            ],
            await RunAsync("aws-asg.sh g", Less, "aws", "echo InService"));
        Assert.Equal([asked], await RunAsync("aws-asg.sh g", Less, "aws", "echo Terminating:Wait"));
        Assert.Equal([asked], await RunAsync("aws-asg.sh g", Less, "aws", "true", HookOutcome.Failed));
    }

    [Fact]
    public async Task Machines_that_stand_by_are_started_until_there_are_enough_and_the_one_is_stopped()
    {
        await File.WriteAllLinesAsync($"{_node.Folder}/machines", ["one", "two", "three", "four", "five"], TestContext.Current.CancellationToken);
        const string To = "ssh -n -o BatchMode=yes -o ConnectTimeout=5 root@";

        // One runs, two does not answer at all.
        var answers = "case \"$*\" in *root@one*is-active*) ;; *is-active*) exit 3 ;; *root@two*) exit 255 ;; esac";
        var asked = await RunAsync($"machines.sh {_node.Folder}/machines", More, "ssh", answers);
        Assert.Equal(
            ["one", "two", "three", "four", "five"],
            asked.Take(5).Select(line => line[To.Length..].Replace(" systemctl is-active --quiet millrace", "", StringComparison.Ordinal)));
        Assert.Equal(
            [$"{To}two systemctl enable --now millrace", $"{To}three systemctl enable --now millrace", $"{To}four systemctl enable --now millrace"],
            asked.Skip(5));

        Assert.Equal(5, (await RunAsync($"machines.sh {_node.Folder}/machines", More, "ssh")).Count);
        await RunAsync($"machines.sh {_node.Folder}/machines", More, "ssh", "exit 255", HookOutcome.Failed);
        Assert.Equal(
            [$"{To}seven systemctl disable --now millrace"], await RunAsync($"machines.sh {_node.Folder}/machines", Less, "ssh"));
    }

    [Fact]
    public async Task A_Deployment_gets_its_number_when_the_pod_that_is_to_go_is_the_cheapest()
    {
        var before = $"kubectl annotate pods --selector app=millrace {Cost}-";
        Assert.Equal([before, "kubectl scale deployment millrace --replicas 3"], await RunAsync("deployment.sh millrace app=millrace", More, "kubectl"));
        Assert.Equal(
            [before, $"kubectl annotate pod seven --overwrite {Cost}=-1", "kubectl scale deployment millrace --replicas 2"],
            await RunAsync("deployment.sh millrace app=millrace", Less, "kubectl"));
    }

    [Fact]
    public async Task Each_is_told_of_where_it_is_to_be_looked_for()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Folder, "..", "scaling.md"), TestContext.Current.CancellationToken);
        Assert.All(Directory.GetFiles(Folder), script => Assert.Contains($"`scaling/{Path.GetFileName(script)}`", page, StringComparison.Ordinal));
    }

    /// <returns>How the tool was called.</returns>
    private async Task<IReadOnlyList<string>> RunAsync(
        string script, ScaleOrder order, string tool, string does = "true", HookOutcome outcome = HookOutcome.Done)
    {
        var told = $"{_node.Folder}/told";
        File.Delete(told);
        await File.WriteAllTextAsync(
            $"{_node.Folder}/{tool}", $"#!/bin/sh\necho \"{tool} $*\" >> {told}\n{does}\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode($"{_node.Folder}/{tool}", UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
        var end = await new CommandHook(_node.Runtime, $"PATH={_node.Folder}:$PATH sh {Folder}/{script}", TimeSpan.FromMinutes(1))
            .RunAsync(order, TestContext.Current.CancellationToken);
        Assert.True(end.Outcome == outcome, end.ToString());
        return await File.ReadAllLinesAsync(told, TestContext.Current.CancellationToken);
    }
}
