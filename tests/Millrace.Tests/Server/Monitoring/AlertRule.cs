using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Millrace.Tests.Server.Monitoring;

/// <summary>One alert, as Prometheus reads it.</summary>
internal sealed class AlertRule
{
    public string Alert { get; init; } = "";

    public string Expr { get; init; } = "";

    public string For { get; init; } = "";

    public Dictionary<string, string> Labels { get; init; } = [];

    public Dictionary<string, string> Annotations { get; init; } = [];

    /// <summary>Those that are shipped.</summary>
    public static IReadOnlyList<AlertRule> ReadAll()
    {
        using var reader = MonitoringFiles.Open("millrace-alerts.yaml");
        var file = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).WithDuplicateKeyChecking().Build()
            .Deserialize<RuleFile>(reader);
        return [.. file.Groups.SelectMany(group => group.Rules)];
    }

    public override string ToString() => Alert;

    private sealed class RuleFile
    {
        public List<RuleGroup> Groups { get; init; } = [];
    }

    private sealed class RuleGroup
    {
        public string Name { get; init; } = "";

        public List<AlertRule> Rules { get; init; } = [];
    }
}
