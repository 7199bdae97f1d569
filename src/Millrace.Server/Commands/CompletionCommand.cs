using System.CommandLine;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace completion bash|zsh|fish</c></summary>
[Example("source <(millrace completion bash)", "For this shell; a line in ~/.bashrc for all")]
[Example("source <(millrace completion zsh)", "For this shell, after compinit; a line in ~/.zshrc for all")]
[Example("millrace completion fish > ~/.config/fish/completions/millrace.fish", "For all shells from now on")]
internal sealed class CompletionCommand : Command
{
    private readonly Argument<string> _shell = new("shell") { Description = "bash, zsh or fish" };

    public CompletionCommand()
        : base("completion", "Print a script that completes commands, options, and names of topics and groups")
    {
        _shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        Arguments.Add(_shell);
        SetAction(result => Console.Out.Write(CompletionScript.For(result.GetValue(_shell)!)));
    }
}
