using System.IO.Enumeration;

namespace Millrace.Server.Cli;

/// <summary>A name, or many as a shell writes them: <c>*</c> stands for any characters, <c>?</c> for one.</summary>
internal static class NamePattern
{
    public static bool Matches(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);
}
