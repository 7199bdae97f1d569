using Millrace.Protocol.Generator.Schema;

namespace Millrace.Protocol.Generator.Emit;

/// <summary>The part of an API's or record's schema that the tables over all messages show; equal when they would show the same.</summary>
internal sealed class ApiSummary(string name, short number, Versions versions, Versions flexible, bool latestUnstable, string listeners)
    : IEquatable<ApiSummary>
{
    public string Name { get; } = name;

    public short Number { get; } = number;

    public Versions Versions { get; } = versions;

    public Versions Flexible { get; } = flexible;

    public bool LatestUnstable { get; } = latestUnstable;

    public string Listeners { get; } = listeners;

    public bool IsApi => Listeners.Length > 0;

    public static ApiSummary? Of(SchemaDocument document)
    {
        var first = document.Messages[0];
        return first.Kind is MessageKind.Request or MessageKind.Record
            ? new ApiSummary(document.Name, first.Number, first.Versions, first.Flexible, first.LatestUnstable, document.Listeners)
            : null;
    }

    public bool Equals(ApiSummary? other) =>
        other is not null && Name == other.Name && Number == other.Number && Versions.Equals(other.Versions)
        && Flexible.Equals(other.Flexible) && LatestUnstable == other.LatestUnstable && Listeners == other.Listeners;

    public override bool Equals(object? obj) => Equals(obj as ApiSummary);

    public override int GetHashCode() => Name.GetHashCode() ^ (Number << 8) ^ Versions.GetHashCode() ^ Flexible.GetHashCode();
}
