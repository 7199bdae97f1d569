using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millrace.Server.Cli;

/// <summary>The one form of everything that <c>--json</c> prints: an object a line, so that streams and lists are read alike.</summary>
internal static class JsonLine
{
    private static readonly JsonSerializerOptions Style = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string From(JsonObject value) => value.ToJsonString(Style);
}
