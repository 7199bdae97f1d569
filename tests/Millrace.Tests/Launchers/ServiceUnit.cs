namespace Millrace.Tests.Launchers;

/// <summary>The unit of systemd that comes with the package for Debian, or one that was installed by it.</summary>
/// <param name="path">Its file.</param>
internal sealed class ServiceUnit(string path)
{
    private readonly ILookup<string, string> _settings = File.ReadLines(path)
        .Where(line => line.Contains('=', StringComparison.Ordinal) && line[0] != '#')
        .Select(line => line.Split('=', 2))
        .ToLookup(parts => parts[0], parts => parts[1]);

    public static string Packaged { get; } = Path.Combine(Repository.Root, "eng/deb/millrace.service");

    /// <summary>What the unit says of something that it says once.</summary>
    public string this[string setting] => _settings[setting].Single();

    /// <summary>The program and its arguments, none of which is quoted.</summary>
    public string[] Command => this["ExecStart"].Split(' ');
}
