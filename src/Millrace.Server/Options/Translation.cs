namespace Millrace.Server.Options;

/// <summary>What a setting of another system means here.</summary>
/// <param name="From">The setting as it was written.</param>
/// <param name="Key">Ours.</param>
/// <param name="Value">Its value.</param>
/// <param name="Note">What else the operator should know, as a clause; null for nothing.</param>
internal sealed record Translation(string From, string Key, string Value, string? Note = null)
{
    public override string ToString() => $"{From} as {Key}={Value}{(Note is null ? "" : $" ({Note})")}";
}
