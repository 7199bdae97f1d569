using System.Buffers;
using System.Text;

namespace Millrace.Network.Serving;

/// <summary>
/// Tells peers that speak another protocol by their first bytes, which as a frame's size are always impossible: so that the
/// log can say what is wrong instead of a number.
/// </summary>
internal static class ForeignProtocol
{
    private static readonly string[] HttpMethods = ["GET ", "HEAD", "POST", "PUT ", "DELE", "OPTI", "CONN", "PATC", "PRI ", "TRAC"];

    /// <summary>What the peer speaks, in words, or null if that is not known.</summary>
    /// <param name="bytes">What it has sent so far.</param>
    public static string? Of(in ReadOnlySequence<byte> bytes)
    {
        Span<byte> start = stackalloc byte[4];
        start = start[..(int)Math.Min(bytes.Length, start.Length)];
        bytes.Slice(0, start.Length).CopyTo(start);
        return start switch
        {
            [0x16, 0x03, ..] => "This is a TLS handshake, and this listener is plaintext: the client must use security.protocol=PLAINTEXT",
            [(byte)'S', (byte)'S', (byte)'H', (byte)'-'] => "This is an SSH client, and this listener speaks Kafka's protocol",
            _ when HttpMethods.Contains(Encoding.ASCII.GetString(start)) =>
                "This is an HTTP request, and this listener speaks Kafka's protocol: HTTP is at millrace.http.listener",
            _ => null,
        };
    }
}
