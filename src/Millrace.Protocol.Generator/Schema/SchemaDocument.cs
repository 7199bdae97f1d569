namespace Millrace.Protocol.Generator.Schema;

/// <summary>A parsed schema file: an API's request and response, or one record.</summary>
internal sealed class SchemaDocument(string name, IReadOnlyList<MessageSchema> messages, string listeners)
{
    /// <summary>The name on the first line.</summary>
    public string Name { get; } = name;

    public IReadOnlyList<MessageSchema> Messages { get; } = messages;

    /// <summary>The listeners that serve the API, separated by commas; empty for records.</summary>
    public string Listeners { get; } = listeners;

    public bool IsApi => Messages.Any(message => message.Kind == MessageKind.Request);
}
