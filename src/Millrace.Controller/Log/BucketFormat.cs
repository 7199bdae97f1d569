using System.Text.Encodings.Web;
using System.Text.Json;

namespace Millrace.Controller.Log;

/// <summary>
/// The first object of a bucket that anybody looks at, <c>meta/FORMAT</c>: in which format all the others are, and which program said so.
/// This is the one place that says which formats this program knows.
/// </summary>
/// <remarks>
/// One JSON object, for people too: <c>{"product":"millrace","format":2,"writtenBy":"Millrace 0.1.0 (commit 3f2a1c9e0b77)"}</c>. These three stay
/// what they are in every format there will be, so that each version can name the other one; fields may be added.
/// </remarks>
/// <param name="Level">The format of everything in the bucket.</param>
/// <param name="WrittenBy">The program that made the bucket.</param>
public sealed record BucketFormat(int Level, string WrittenBy)
{
    public const string Key = MetadataLog.Prefix + "FORMAT";

    /// <summary>What this program writes. It rises when a program of the level before could not read, or would harm, what is written.</summary>
    public const int Current = 2;

    /// <summary>The oldest format that this program reads and goes on with.</summary>
    public const int Oldest = 2;

    /// <summary>What buckets without the object are in: the first versions did not write it.</summary>
    public static readonly BucketFormat Unmarked = new(1, "an early version of Millrace 0.1.0");

    // Far above any; what is larger is something else, and need not be shown to people.
    private const int MaxBytes = 4_096;
    private const string Product = "millrace";

    private static readonly JsonWriterOptions Style = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public bool IsKnown => Level is >= Oldest and <= Current;

    public byte[] Write()
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Style))
        {
            json.WriteStartObject();
            json.WriteString("product", Product);
            json.WriteNumber("format", Level);
            json.WriteString("writtenBy", WrittenBy);
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }

    /// <summary>Null if the bytes say nothing of a format.</summary>
    public static BucketFormat? Read(byte[] bytes)
    {
        if (bytes.Length > MaxBytes)
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(bytes);
            return json.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("product", out var product) && product.ValueKind == JsonValueKind.String && product.GetString() == Product
                && root.TryGetProperty("format", out var format) && format.ValueKind == JsonValueKind.Number && format.TryGetInt32(out var level)
                && root.TryGetProperty("writtenBy", out var writer) && writer.ValueKind == JsonValueKind.String
                    ? new BucketFormat(level, writer.GetString()!)
                    : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // The second is a string of broken UTF-8.
            return null;
        }
    }
}
