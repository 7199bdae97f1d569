namespace Millrace.Server.Cli;

/// <summary>KEY=VALUE arguments. Values are as they were given, blanks included: one may be a password, or a record's header.</summary>
internal static class KeyValue
{
    public static IEnumerable<KeyValuePair<string, string>> ParseAll(string[]? arguments, string option)
    {
        foreach (var argument in arguments ?? [])
        {
            var at = argument.IndexOf('=', StringComparison.Ordinal);
            yield return at > 0
                ? KeyValuePair.Create(argument[..at].Trim(), argument[(at + 1)..])
                : throw new CommandFailedException(ExitCode.Usage, $"{option} takes KEY=VALUE, not '{argument}'.");
        }
    }
}
