namespace Millrace.Server.Cli;

/// <summary>
/// Colours for people at a terminal. What is redirected is read by programs and gets none; NO_COLOR (https://no-color.org) and a
/// terminal that cannot show them (TERM=dumb) switch them off.
/// </summary>
internal static class Terminal
{
    private const string Reset = "\e[0m";

    private static readonly bool Wanted =
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>What takes everything off a terminal's screen; nothing where the terminal cannot.</summary>
    public static string Clear => Environment.GetEnvironmentVariable("TERM") == "dumb" ? "" : "\e[H\e[2J";

    /// <summary>A heading on standard output.</summary>
    public static string Heading(string text) => Wanted && !Console.IsOutputRedirected ? $"\e[1m{text}{Reset}" : text;

    /// <summary>What is wrong, on standard error.</summary>
    public static string Error(string text) => Wanted && !Console.IsErrorRedirected ? $"\e[31m{text}{Reset}" : text;

    /// <summary>What may be wrong, on standard error.</summary>
    public static string Warning(string text) => Wanted && !Console.IsErrorRedirected ? $"\e[33m{text}{Reset}" : text;
}
