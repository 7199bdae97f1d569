using System.Text.Json.Nodes;

namespace Millrace.Tests.Server.Monitoring;

/// <summary>The dashboard that is shipped, as Grafana reads it.</summary>
internal sealed class Dashboard
{
    private readonly JsonNode _json;

    private Dashboard(JsonNode json)
    {
        _json = json;
        Panels = [.. json["panels"]!.AsArray().Select(panel => new DashboardPanel(panel!)).SelectMany(panel => panel.Inner.Prepend(panel))];
    }

    public IReadOnlyList<DashboardPanel> Panels { get; }

    public int SchemaVersion => (int)_json["schemaVersion"]!;

    /// <summary>What is chosen above the panels: its name, its kind, and where its values come from.</summary>
    public IReadOnlyList<(string Name, string Type, string Query)> Variables =>
    [
        .. _json["templating"]!["list"]!.AsArray().Select(variable =>
            ((string)variable!["name"]!, (string)variable["type"]!, (string)(variable["definition"] ?? variable["query"])!)),
    ];

    public static Dashboard Read()
    {
        using var reader = MonitoringFiles.Open("millrace-dashboard.json");
        return new Dashboard(JsonNode.Parse(reader.ReadToEnd())!);
    }
}
