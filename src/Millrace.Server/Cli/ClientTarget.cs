namespace Millrace.Server.Cli;

/// <summary>The cluster that a command talks to, and the properties that its clients need there.</summary>
/// <param name="Address">Brokers to begin with, HOST:PORT separated by commas.</param>
/// <param name="Properties">By librdkafka's names, without the address.</param>
internal sealed record ClientTarget(string Address, IReadOnlyDictionary<string, string> Properties)
{
    public const string AddressVariable = "MILLRACE_BOOTSTRAP";
    public const string ProfileVariable = "MILLRACE_PROFILE";
    public const string DefaultAddress = "127.0.0.1:9092";

    /// <summary>
    /// An option is nearer than the environment, and an address is nearer than a profile. So a profile that is named on the command line
    /// is not talked out of its address by a variable that somebody once exported.
    /// </summary>
    /// <exception cref="CommandFailedException">The profile that is named is not there.</exception>
    public static ClientTarget Choose(string? address, string? profile, Func<string, string?> environment, Func<ProfileFile> profiles)
    {
        var name = profile ?? Variable(ProfileVariable);
        var properties = name is null ? new Dictionary<string, string>() : new Dictionary<string, string>(profiles().Find(name));
        var profiled = properties.Remove(ProfileFile.AddressKey, out var there) ? Given(there) : null;
        return new(
            address ?? (profile is null ? null : profiled) ?? Variable(AddressVariable) ?? profiled ?? DefaultAddress, properties);

        string? Variable(string variable) => Given(environment(variable));
        static string? Given(string? value) => value is { Length: > 0 } ? value : null;
    }
}
