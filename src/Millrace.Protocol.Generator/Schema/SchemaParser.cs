namespace Millrace.Protocol.Generator.Schema;

/// <summary>
/// Reads a schema file. A line holds a message's head, a structure or a field; two spaces of indentation nest. A line
/// that begins with <c>#</c> documents the line below it.
/// </summary>
internal sealed class SchemaParser
{
    private readonly List<SchemaLine> _lines = [];
    private int _next;

    private SchemaParser(string text)
    {
        string? documentation = null;
        var number = 0;
        foreach (var line in text.Split('\n').Select(line => line.TrimEnd()))
        {
            var content = line.TrimStart();
            if (content.StartsWith("#", StringComparison.Ordinal))
            {
                documentation = (documentation is null ? "" : documentation + " ") + content.TrimStart('#').Trim();
            }
            else if (content.Length > 0)
            {
                _lines.Add(new SchemaLine(number, line, documentation));
                documentation = null;
            }

            number++;
        }
    }

    /// <exception cref="SchemaException">The text is no schema.</exception>
    public static SchemaDocument Parse(string text) => new SchemaParser(text).ParseDocument();

    private SchemaDocument ParseDocument()
    {
        if (_lines.Count == 0)
        {
            throw new SchemaException(0, "The schema is empty");
        }

        var head = _lines[0];
        var word = head.Take("The kind of schema");
        if (word == "api")
        {
            _next++;
            return ParseApi(head);
        }

        var kind = word switch
        {
            "header" => MessageKind.Header,
            "data" => MessageKind.Data,
            "coordinator-key" => MessageKind.CoordinatorKey,
            "coordinator-value" => MessageKind.CoordinatorValue,
            "record" => MessageKind.Record,
            _ => throw head.Unknown(word),
        };
        var message = ParseMessage(kind, head.Take("The name"));
        return _next == _lines.Count
            ? new SchemaDocument(message.Name, [message], "")
            : throw new SchemaException(_lines[_next].Number, "A schema holds one record");
    }

    private SchemaDocument ParseApi(SchemaLine head)
    {
        var key = head.TakeNumber("the API's key");
        var name = head.Take("The API's name");
        var listeners = "broker";
        while (!head.AtEnd)
        {
            var word = head.Take("A word");
            listeners = word == "listeners" ? head.Take("The listeners") : throw head.Unknown(word);
        }

        var messages = new List<MessageSchema>();
        while (_next < _lines.Count)
        {
            var line = _lines[_next];
            var word = line.Take("request or response");
            var message = word switch
            {
                "request" => ParseMessage(MessageKind.Request, name + "Request"),
                "response" => ParseMessage(MessageKind.Response, name + "Response"),
                _ => throw line.Unknown(word),
            };
            message.Number = key;
            message.Documentation ??= head.Documentation;
            messages.Add(message);
        }

        return messages.Select(message => message.Kind).SequenceEqual([MessageKind.Request, MessageKind.Response])
            ? new SchemaDocument(name, messages, listeners)
            : throw new SchemaException(head.Number, "An API has one request and then one response");
    }

    private MessageSchema ParseMessage(MessageKind kind, string name)
    {
        var head = _lines[_next++];
        var message = new MessageSchema(kind, name) { Documentation = head.Documentation };
        while (!head.AtEnd)
        {
            var word = head.Take("A word");
            switch (word)
            {
                case "versions":
                    message.Versions = head.TakeVersions("a range of versions");
                    break;
                case "flexible":
                    message.Flexible = head.TakeVersions("a range of versions");
                    break;
                case "latest-unstable":
                    message.LatestUnstable = true;
                    break;
                case "key-version" or "id":
                    message.Number = head.TakeNumber("a number");
                    break;
                default:
                    throw head.Unknown(word);
            }
        }

        if (message.Versions.IsEmpty || message.Versions.Max == short.MaxValue)
        {
            throw new SchemaException(head.Number, "A message needs a closed range of versions");
        }

        var structs = new List<StructSchema>();
        message.Fields = ParseFields(indent: 2, structs);
        message.Structs = structs;
        foreach (var field in message.Fields.Concat(structs.SelectMany(item => item.Fields)))
        {
            if (field.IsStruct && structs.All(item => item.Name != field.TypeName))
            {
                throw new SchemaException(head.Number, $"The type '{field.TypeName}' of {name}.{field.Name} is not declared");
            }
        }

        return message;
    }

    private List<FieldSchema> ParseFields(int indent, List<StructSchema> structs)
    {
        var fields = new List<FieldSchema>();
        while (_next < _lines.Count && _lines[_next].Indent == indent)
        {
            var line = _lines[_next++];
            var name = line.Take("The field's name");
            if (name == "struct")
            {
                var structName = line.Take("The structure's name");
                line.TakeVersions("a range of versions");
                Declare(line, structName, indent, structs);
                continue;
            }

            var field = FieldParser.Parse(line, name);
            fields.Add(field);
            if (_next < _lines.Count && _lines[_next].Indent > indent)
            {
                if (!field.IsStruct)
                {
                    throw new SchemaException(_lines[_next].Number, $"'{field.TypeName}' has no fields");
                }

                Declare(line, field.TypeName, indent, structs);
            }
        }

        if (_next < _lines.Count && _lines[_next].Indent > indent)
        {
            throw new SchemaException(_lines[_next].Number, "The indentation does not fit");
        }

        return fields;
    }

    private void Declare(SchemaLine line, string name, int indent, List<StructSchema> structs)
    {
        // The place is kept, so that a structure stands before the ones inside it.
        var place = structs.Count;
        structs.Add(new StructSchema(name, []));
        structs[place] = new StructSchema(name, ParseFields(indent + 2, structs));
        if (structs.Count(item => item.Name == name) > 1)
        {
            throw new SchemaException(line.Number, $"The structure '{name}' is declared twice");
        }
    }
}
