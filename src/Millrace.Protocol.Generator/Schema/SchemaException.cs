namespace Millrace.Protocol.Generator.Schema;

/// <summary>A schema that cannot be understood.</summary>
internal sealed class SchemaException(int line, string message) : Exception(message)
{
    /// <summary>The offending line, counted from zero.</summary>
    public int Line { get; } = line;
}
