using System.Text;

namespace Millrace.Server.Logging;

/// <summary>A failure on one line: what it says, what it says that caused it, and where it began. The rest is for who debugs.</summary>
internal static class FailureText
{
    public static string Of(Exception failure)
    {
        var text = new StringBuilder();
        var innermost = failure;
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            text.Append(text.Length == 0 ? "" : ", caused by ").Append(cause.GetType().Name).Append(": ").Append(cause.Message.TrimEnd('.'));
            innermost = cause;
        }

        // The first line of a stack trace is the method that threw.
        var place = innermost.StackTrace.AsSpan();
        return place.IsEmpty ? text.ToString() : text.Append(" (").Append(place[..EndOfLine(place)].Trim()).Append(')').ToString();
    }

    private static int EndOfLine(ReadOnlySpan<char> text) => text.IndexOf('\n') is >= 0 and var end ? end : text.Length;
}
