using System.CommandLine;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Help;
using Millrace.Server.Options;

namespace Millrace.Server.Commands;

/// <summary><c>millrace config reference</c>: needs no broker.</summary>
[Example("millrace config reference", "A line a setting")]
[Example("millrace config reference --json | jq -r .config", "Their names alone")]
internal sealed class ConfigReferenceCommand : Command
{
    private readonly Option<bool> _markdown = new("--markdown")
    {
        Description = "Print the whole page of the documentation, with what is accepted without effect and what is refused",
    };
    private readonly JsonOption _json = new();

    public ConfigReferenceCommand()
        : base("reference", "List the settings that a broker can be started with: type, default, unit, and what they do")
    {
        Options.Add(_markdown);
        Options.Add(_json);
        SetAction(Run);
    }

    private int Run(ParseResult result)
    {
        if (result.GetValue(_markdown))
        {
            Console.Out.Write(SettingsReference.ToMarkdown());
            return ExitCode.Success;
        }

        var report = new Report("Config", "Type", "Default", "Unit", "Whose", "Description");
        foreach (var setting in SettingsReference.OfBrokers)
        {
            report.Add(
                setting.Name, setting.Type.ToString().ToLowerInvariant(), setting.Default, SettingUnit.Of(setting),
                SettingsReference.IsOwn(setting) ? "Millrace" : "Kafka", setting.Documentation);
        }

        report.Write(result.GetValue(_json));
        return ExitCode.Success;
    }
}
