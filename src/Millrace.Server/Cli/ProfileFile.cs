using Microsoft.Extensions.Configuration.Ini;
using Millrace.Server.Options;

namespace Millrace.Server.Cli;

/// <summary>
/// The file of profiles: INI, a section a cluster, in it the properties of its clients by librdkafka's names, the address
/// (<see cref="AddressKey"/>) among them.
/// </summary>
internal sealed class ProfileFile
{
    public const string AddressKey = "bootstrap.servers";

    private readonly string _path;
    private readonly Dictionary<string, Dictionary<string, string>> _profiles;

    private ProfileFile(string path, Dictionary<string, Dictionary<string, string>> profiles) => (_path, _profiles) = (path, profiles);

    private const string Folder = "millrace";
    private const string Name = "profiles.ini";

    /// <summary>
    /// In <c>$XDG_CONFIG_HOME</c>, as the XDG base directory specification has it, or <c>~/.config</c> where that is not set.
    /// </summary>
    public static string DefaultPath { get; } = Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), Folder, Name);

    public IEnumerable<string> Names => _profiles.Keys.Order(StringComparer.Ordinal);

    /// <exception cref="CommandFailedException">It cannot be read, or is no such file.</exception>
    public static ProfileFile Read(string path)
    {
        try
        {
            using var text = File.OpenRead(path);
            var profiles = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
            foreach (var (key, value) in IniStreamConfigurationProvider.Read(text))
            {
                var at = key.IndexOf(':', StringComparison.Ordinal);
                var name = at > 0 ? key[..at] : throw new FormatException($"'{key}' stands outside of a section");
                var profile = profiles.TryGetValue(name, out var known) ? known : profiles[name] = new(StringComparer.Ordinal);
                profile[key[(at + 1)..]] = value ?? "";
            }

            return new ProfileFile(path, profiles);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandFailedException(
                ExitCode.Usage,
                $"There are no profiles: {path} is not there. It takes sections like [production], and in them lines like {AddressKey} = HOST:PORT.",
                failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new CommandFailedException(ExitCode.Usage, $"The profiles in {path} cannot be read: {failure.Message}", failure);
        }
    }

    /// <exception cref="CommandFailedException">There is none of that name.</exception>
    public IReadOnlyDictionary<string, string> Find(string name) => _profiles.TryGetValue(name, out var profile)
        ? profile
        : throw new CommandFailedException(ExitCode.Usage, $"There is no profile '{name}' in {_path}.{Suggestion.Question(name, Names)}");
}
