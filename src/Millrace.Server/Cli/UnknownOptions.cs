using System.CommandLine;
using System.CommandLine.Parsing;

namespace Millrace.Server.Cli;

/// <summary>
/// Refuses what looks like an option and is none. The library takes it for one more name where a command takes several, and with a typing
/// error <c>topic create orders --partitons 3</c> would make three topics. A name that begins so goes behind <c>--</c>.
/// </summary>
internal static class UnknownOptions
{
    /// <param name="command">It, and all below it.</param>
    /// <param name="arguments">The line that it is to read.</param>
    public static void Refuse(Command command, IEnumerable<string> arguments)
    {
        var options = arguments.TakeWhile(argument => argument != "--").Where(argument => argument.StartsWith('-')).ToHashSet();
        Add(command);

        void Add(Command each)
        {
            each.Validators.Add(Check);
            foreach (var child in each.Subcommands)
            {
                Add(child);
            }
        }

        void Check(CommandResult result)
        {
            foreach (var token in result.Tokens.Where(token => options.Contains(token.Value)))
            {
                result.AddError($"{UsageErrors.Unrecognized}{token.Value}'.");
            }
        }
    }
}
