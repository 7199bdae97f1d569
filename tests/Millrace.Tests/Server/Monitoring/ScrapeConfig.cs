using YamlDotNet.RepresentationModel;

namespace Millrace.Tests.Server.Monitoring;

/// <summary>How Prometheus is told to scrape brokers, of which the labels matter that it gives their series.</summary>
/// <param name="Job">The name of the job.</param>
/// <param name="TargetLabels">What each series of a broker has beside its own.</param>
internal sealed record ScrapeConfig(string Job, IReadOnlySet<string> TargetLabels)
{
    public const string JobLabel = "job";

    public static ScrapeConfig Read()
    {
        using var reader = MonitoringFiles.Open("prometheus.yaml");
        var yaml = new YamlStream();
        yaml.Load(reader);
        var job = (YamlMappingNode)((YamlSequenceNode)yaml.Documents.Single().RootNode["scrape_configs"]).Single();
        var targets = (YamlMappingNode)((YamlSequenceNode)job["static_configs"]).Single();
        return new ScrapeConfig(
            job["job_name"].ToString(),
            ((YamlMappingNode)targets["labels"]).Children.Keys.Select(label => label.ToString()).Append(JobLabel).Append("instance").ToHashSet());
    }
}
