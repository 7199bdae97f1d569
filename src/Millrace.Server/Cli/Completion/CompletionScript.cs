namespace Millrace.Server.Cli.Completion;

/// <summary>What makes a shell ask the program for candidates: it answers the directive <c>[suggest:POSITION]</c> with a line each.</summary>
internal static class CompletionScript
{
    /// <param name="shell">bash, zsh or fish.</param>
    public static string For(string shell)
    {
        // Embedded under the name of its file (Millrace.Server.csproj).
        using var script = typeof(CompletionScript).Assembly.GetManifestResourceStream($"completion.{shell}")!;
        using var text = new StreamReader(script);
        return text.ReadToEnd();
    }
}
