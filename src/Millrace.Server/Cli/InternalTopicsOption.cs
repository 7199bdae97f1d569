using System.CommandLine;

namespace Millrace.Server.Cli;

/// <summary><c>--internal</c>: lists what belongs to the brokers themselves, too.</summary>
internal sealed class InternalTopicsOption : Option<bool>
{
    private const string Prefix = "__";

    public InternalTopicsOption()
        : base("--internal") =>
        Description = "Show internal topics too; a name that begins with __ does so anyway";

    /// <summary>Whether a topic is shown to who asks for names like this. As a shell does with hidden files: they match what begins like them.</summary>
    public bool Shows(ParseResult result, string topic, string asked) =>
        result.GetValue(this) || !topic.StartsWith(Prefix, StringComparison.Ordinal) || asked.StartsWith(Prefix, StringComparison.Ordinal);
}
