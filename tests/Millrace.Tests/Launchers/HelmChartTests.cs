using System.Globalization;
using Millrace.Server.Options;
using Millrace.Tests.Clients;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Millrace.Tests.Launchers;

/// <summary>The chart for Kubernetes, rendered by Helm.</summary>
public sealed class HelmChartTests(HelmTool helm) : IClassFixture<HelmTool>
{
    private static readonly string[] Least = ["--set", "store.uri=s3://bucket/prefix?region=eu-central-1"];

    /// <summary>Values of an operator's: no more than the chart asks for, and all that it takes.</summary>
    public static TheoryData<string> Values => ["least", "full"];

    [Theory]
    [MemberData(nameof(Values))]
    public async Task What_is_rendered_is_as_Kubernetes_types_and_schemas_have_it(string values)
    {
        var lint = await helm.TryRunAsync(["lint", "--strict", HelmTool.Chart, .. Choose(values)]);
        Assert.True(lint.ExitCode == 0, lint.Output + lint.Errors);

        var found = await HelmTool.ValidateAsync(await helm.RenderAsync(Choose(values)));

        Assert.True(found.ExitCode == 0, found.Output + found.Errors);
        string[] expected =
        [
            "apps/v1 Deployment", "batch/v1 CronJob", "networking.k8s.io/v1 NetworkPolicy", "policy/v1 PodDisruptionBudget",
            "v1 Service", "v1 Service", "v1 ServiceAccount",
            .. values == "full" ? (string[])["autoscaling/v2 HorizontalPodAutoscaler", "monitoring.coreos.com/v1 ServiceMonitor"] : [],
        ];
        Assert.Equal(
            expected.Order(StringComparer.Ordinal),
            found.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[..line.LastIndexOf(' ')]).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("readinessProbe:", "readynessProbe:", "'\"readynessProbe\"' does not exist in type 'IContainer'")]
    [InlineData("  replicas: 3", "  replicas: \"3\"", "is not assignable to type 'number'")]
    [InlineData("  schedule: ", "  # schedule: ", "must have required property schedule")]
    public async Task A_field_that_Kubernetes_does_not_know_misses_or_has_of_another_type_is_found(string right, string wrong, string named)
    {
        var rendered = await helm.RenderAsync(Least);
        Assert.Contains(right, rendered, StringComparison.Ordinal);

        var found = await HelmTool.ValidateAsync(rendered.Replace(right, wrong, StringComparison.Ordinal));

        Assert.Equal(1, found.ExitCode);
        Assert.Contains(named, found.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("store.uri=", "store.uri names the bucket")]
    [InlineData("store.uri=file:///srv/millrace", "store/uri")]
    [InlineData("drain.second=5", "second")]
    [InlineData("strategy=OnDelete", "strategy")]
    [InlineData(@"config.node\.id=1", "config.node.id: the chart sets it for each pod")]
    public async Task Values_that_make_no_sense_are_refused_by_name(string value, string named)
    {
        var rendered = await helm.TryRunAsync(["template", "r", HelmTool.Chart, .. Least, "--set", value]);

        Assert.NotEqual(0, rendered.ExitCode);
        Assert.Contains(named, rendered.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Values))]
    public async Task A_pod_keeps_nothing_may_do_nothing_and_has_time_to_be_drained_and_stopped(string values)
    {
        var pod = (YamlMappingNode)Find(await helm.RenderAsync(Choose(values)), "Deployment")["spec"]["template"]["spec"];
        var broker = Assert.Single((YamlSequenceNode)pod["containers"]);

        Assert.False(pod.Children.ContainsKey("volumes"));
        Assert.Equal(("true", "10001"), ($"{pod["securityContext"]["runAsNonRoot"]}", $"{pod["securityContext"]["runAsUser"]}"));
        Assert.Equal("true", $"{broker["securityContext"]["readOnlyRootFilesystem"]}");
        Assert.Equal("ALL", $"{Assert.Single((YamlSequenceNode)broker["securityContext"]["capabilities"]["drop"])}");

        var drain = int.Parse(((YamlSequenceNode)broker["lifecycle"]["preStop"]["exec"]["command"]).Last().ToString(), CultureInfo.InvariantCulture);
        var stop = OptionsOf(broker).StopLimit.TotalSeconds;
        Assert.InRange(int.Parse($"{pod["terminationGracePeriodSeconds"]}", CultureInfo.InvariantCulture), drain + stop + 5, drain + stop + 15);
    }

    [Theory]
    [MemberData(nameof(Values))]
    public async Task The_settings_of_a_pod_are_the_programs_and_keep_everything_in_the_bucket(string values)
    {
        var rendered = await helm.RenderAsync(Choose(values));
        var options = OptionsOf(((YamlSequenceNode)Find(rendered, "Deployment")["spec"]["template"]["spec"]["containers"]).Single());

        Assert.StartsWith("s3://bucket/prefix?", options.Store, StringComparison.Ordinal);
        Assert.Equal(["object"], options.Wals);
        Assert.Null(options.DataDirectory);
        Assert.Null(options.Rack);
        Assert.Empty(options.Settings.Remarks);
        var listener = Assert.Single(options.Listeners.Clients);
        Assert.Equal(new HostPort("", 9092), listener.Bind);
        Assert.Equal(new HostPort("10.1.2.3", 9092), listener.Advertised);
        Assert.Equal(new HostPort("10.1.2.3", 9093), options.Listeners.Internal.Advertised);
        Assert.Equal(new HostPort("", 9464), options.Http);
        Assert.Equal(values == "full" ? "402653184" : null, options.Settings.Values.GetValueOrDefault("millrace.not.uploaded.max.bytes"));
    }

    [Fact]
    public async Task The_number_of_pods_is_an_autoscalers_or_anybodys_where_the_values_leave_it()
    {
        Assert.Equal(3, await ReplicasAsync());
        Assert.Null(await ReplicasAsync("--set", "replicas=null"));
        Assert.Null(await ReplicasAsync("--set", "autoscaling.enabled=true"));
    }

    /// <summary>The chart's job, as it stands in there.</summary>
    [Fact]
    public async Task Brokers_whose_pods_are_gone_are_forgotten_and_those_that_live_are_not()
    {
        using var directory = new TemporaryDirectory();
        string[] cluster = ["--store", $"file://{directory.Path}/store", "--wal", "object", "--set", "millrace.http.listener=127.0.0.1:0"];
        await using var first = await MillraceProcess.StartAsync(directory.Sub("a"), [.. cluster, "--name", "pod-a"]);
        await using var second = await MillraceProcess.StartAsync(directory.Sub("b"), [.. cluster, "--name", "pod-b"]);
        await using var third = await MillraceProcess.StartAsync(directory.Sub("c"), [.. cluster, "--name", "pod-c"]);
        await second.StopAsync();
        await third.KillAsync();
        Assert.True(await Eventually.BecomesTrueAsync(async () => States(await ListAsync(first)) == "pod-a live, pod-b stopped, pod-c fenced"));

        var script = await File.ReadAllTextAsync(Path.Combine(HelmTool.Chart, "files", "cleanup.sh"), TestContext.Current.CancellationToken);
        (string, string)[] environment =
        [
            ("MILLRACE_BOOTSTRAP", first.BootstrapServers),
            ("PATIENCE", "0.1"),
            ("PATH", $"{Path.GetDirectoryName(MillraceProcess.Program)}:{Environment.GetEnvironmentVariable("PATH")}"),
        ];
        // A broker whose WAL is not recovered yet is forgotten another time.
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            await Tool.TryRunAsync("sh", ["-c", script], environment: environment);
            return States(await ListAsync(first)) == "pod-a live";
        }));
        Assert.Equal(0, (await Tool.TryRunAsync("sh", ["-c", script], environment: environment)).ExitCode);
    }

    private async Task<int?> ReplicasAsync(params string[] values)
    {
        var spec = (YamlMappingNode)Find(await helm.RenderAsync([.. Least, .. values]), "Deployment")["spec"];
        return spec.Children.TryGetValue("replicas", out var replicas) ? int.Parse($"{replicas}", CultureInfo.InvariantCulture) : null;
    }

    private static string[] Choose(string values) => values == "full" ? ["--values", HelmTool.FullValues] : Least;

    private static Task<string> ListAsync(MillraceProcess broker) => Tool.RunAsync(MillraceProcess.Program, ["broker", "list", "-b", broker.BootstrapServers]);

    private static string States(string list) => string.Join(
        ", ", list.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).Select(words => $"{words[1]} {words[2]}"));

    private static YamlMappingNode Find(string manifests, string kind)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(manifests));
        return stream.Documents.Select(document => (YamlMappingNode)document.RootNode).Single(manifest => $"{manifest["kind"]}" == kind);
    }

    /// <summary>What a container's arguments come to in a pod at 10.1.2.3, on a node that has no zone.</summary>
    private static NodeOptions OptionsOf(YamlNode container)
    {
        string[] arguments =
        [
            .. ((YamlSequenceNode)container["args"]).Select(argument => $"{argument}"
                .Replace("$(POD_IP)", "10.1.2.3", StringComparison.Ordinal)
                .Replace("$(ZONE)", "", StringComparison.Ordinal)),
        ];
        var settings = arguments.Zip(arguments.Skip(1)).Where(pair => pair.First == "--set").Select(pair => pair.Second.Split('=', 2));
        return NodeOptions.From(NodeSettings.From(settings.Select(pair => KeyValuePair.Create(pair[0], pair[1]))), "elsewhere");
    }
}
