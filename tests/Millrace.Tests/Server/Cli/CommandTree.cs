using System.CommandLine;
using System.CommandLine.Parsing;
using Millrace.Server;

namespace Millrace.Tests.Server.Cli;

/// <summary>All commands of the program, for rules that hold for each.</summary>
internal static class CommandTree
{
    /// <summary>Each with the words that name it; none for the program itself.</summary>
    public static IEnumerable<(string[] Path, Command Command)> All() => Below([], new MillraceCommand());

    /// <summary>The words that name the command of a line.</summary>
    public static string[] PathOf(ParseResult line)
    {
        var path = new List<string>();
        for (var command = line.CommandResult; command.Parent is CommandResult parent; command = parent)
        {
            path.Insert(0, command.Command.Name);
        }

        return [.. path];
    }

    private static IEnumerable<(string[] Path, Command Command)> Below(string[] path, Command command) =>
        command.Subcommands.SelectMany(child => Below([.. path, child.Name], child)).Prepend((path, command));
}
