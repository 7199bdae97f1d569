using System.CommandLine;

namespace Millrace.Server.Cli;

/// <summary>Makes a command print objects for scripts (docs/command-line.md); one for all, so that a test finds every command that has it.</summary>
internal sealed class JsonOption : Option<bool>
{
    public const string Alias = "--json";

    public JsonOption()
        : base(Alias) => Description = "Print JSON for scripts, an object a line";
}
