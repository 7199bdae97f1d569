using System.Text.Json.Nodes;

namespace Millrace.Tests.Server.Monitoring;

/// <summary>A panel of a dashboard, or a row, which is one without queries.</summary>
internal sealed class DashboardPanel(JsonNode json)
{
    private readonly JsonNode _place = json["gridPos"]!;

    public int Id => (int)json["id"]!;

    public string Title => (string)json["title"]!;

    public bool IsRow => (string)json["type"]! == "row";

    public string? Description => (string?)json["description"];

    public string? Unit => (string?)json["fieldConfig"]?["defaults"]?["unit"];

    public string? DataSource => (string?)json["datasource"]?["uid"];

    public int Left => (int)_place["x"]!;

    public int Top => (int)_place["y"]!;

    public int Right => Left + (int)_place["w"]!;

    public int Bottom => Top + (int)_place["h"]!;

    public IReadOnlyList<(string Query, string Legend, string? DataSource)> Queries =>
    [
        .. (json["targets"]?.AsArray() ?? []).Select(target =>
            ((string)target!["expr"]!, (string)target["legendFormat"]!, (string?)target["datasource"]?["uid"])),
    ];

    /// <summary>What lies in a row that is closed.</summary>
    public IEnumerable<DashboardPanel> Inner => (json["panels"]?.AsArray() ?? []).Select(panel => new DashboardPanel(panel!));

    public override string ToString() => $"panel {Id}, {Title}";

    public bool Overlaps(DashboardPanel other) => Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;
}
