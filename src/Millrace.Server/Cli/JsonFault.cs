using System.Text;

namespace Millrace.Server.Cli;

/// <summary>Says what is wrong with a line that is no JSON, and where, to whoever wrote it: the library's own words are about its tokens and bytes.</summary>
internal static class JsonFault
{
    /// <param name="json">One line.</param>
    /// <param name="at">The byte that the library could not go on with.</param>
    public static string Describe(byte[] json, int at)
    {
        if (json.AsSpan().Trim(" \t\r"u8).IsEmpty)
        {
            return "it is empty.";
        }

        if (at >= json.AsSpan().TrimEnd(" \t\r"u8).Length)
        {
            return "it ends before the object does.";
        }

        Rune.DecodeFromUtf8(json.AsSpan(at), out var letter, out _);
        return $"'{letter}' cannot stand at character {Encoding.UTF8.GetCharCount(json, 0, at) + 1}.";
    }
}
