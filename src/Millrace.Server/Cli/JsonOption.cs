using System.CommandLine;

namespace Millrace.Server.Cli;

/// <summary>The option that makes a command print objects for scripts; one for all, so that a test finds every command that has it.</summary>
internal sealed class JsonOption : Option<bool>
{
    public JsonOption()
        : base("--json") => Description = "Print JSON for scripts, an object a line";
}
