using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Millrace.Server.Options;

namespace Millrace.Server.Cli;

/// <summary>What is wrong with a command line, in a line each: a screen of help would hide it.</summary>
internal static partial class UsageErrors
{
    /// <summary>How the library begins to say that it does not know a word.</summary>
    public const string Unrecognized = "Unrecognized command or argument '";

    private const string CommandMissing = "Required command was not provided.";

    /// <summary>Nothing is wrong but that a subcommand is missing: help is what is wanted.</summary>
    public static bool IsUnfinished(ParseResult result) => result.Errors.All(error => error.Message == CommandMissing);

    /// <summary>Whether the line asks for JSON, even where the rest of it cannot be understood.</summary>
    public static bool IsJsonWanted(ParseResult result) => result.Tokens.Any(token => token.Value == JsonOption.Alias);

    public static IEnumerable<string> Describe(ParseResult result)
    {
        var errors = result.Errors.Select(error => error.Message).ToList();
        var others = errors.Where(error => error != CommandMissing).ToList();
        foreach (var error in others.Count == 0 ? errors : others)
        {
            yield return error.StartsWith(Unrecognized, StringComparison.Ordinal)
                ? error + Meant(error[Unrecognized.Length..].TrimEnd('.', '\''), result)
                : Choices().Replace(ClrType().Replace(error, ""), Listed);
        }
    }

    /// <summary>What to do next.</summary>
    public static string Advise(ParseResult result) => $"`{Path(result)} --help` says what it takes.";

    private static string Meant(string given, ParseResult result)
    {
        var command = result.CommandResult.Command;
        var known = command.Subcommands.Select(item => item.Name).Concat(command.Options.Select(item => item.Name));
        return Suggestion.Question(given, known);
    }

    private static string Listed(Match choices) =>
        " It takes one of " + string.Join(", ", choices.Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries)).ToLowerInvariant() + ".";

    private static string Path(ParseResult result)
    {
        var names = new List<string>();
        for (var command = result.CommandResult; command is not null; command = command.Parent as CommandResult)
        {
            names.Insert(0, command.Command is RootCommand ? "millrace" : command.Command.Name);
        }

        return string.Join(' ', names);
    }

    [GeneratedRegex(" as expected type '[^']*'")]
    private static partial Regex ClrType();

    [GeneratedRegex(@" Did you mean one of the following\?\n([\s\S]*)$")]
    private static partial Regex Choices();
}
