using System.CommandLine;
using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>The options every client command has, and the clients made from them.</summary>
internal sealed class ClientOptions
{
    /// <summary>Less makes no client call that can succeed.</summary>
    public static readonly TimeSpan LeastTimeout = TimeSpan.FromMilliseconds(100);

    private readonly long _started = CommandClock.Time.GetTimestamp();
    private volatile Error? _lastError;

    private readonly Option<string?> _bootstrapServer = new("--bootstrap-server", "-b")
    {
        Description = "A broker to begin with, HOST:PORT; several separated by commas "
            + $"(default {ClientTarget.AddressVariable}, else the profile's, else {ClientTarget.DefaultAddress})",
        HelpName = "HOST:PORT",
    };

    private readonly Option<string?> _profile = new("--profile")
    {
        Description = $"An address and client properties that stand under this name in {ProfileFile.DefaultPath} (default {ClientTarget.ProfileVariable})",
        HelpName = "NAME",
    };

    private readonly Option<string[]> _properties = new("--property", "-X")
    {
        Description = "A librdkafka client property, KEY=VALUE; may be repeated",
        HelpName = "KEY=VALUE",
    };

    private readonly TimeoutOption _timeout = new("Seconds to wait for brokers in all");

    private readonly JsonOption _json = new();

    public void AddTo(Command command)
    {
        _profile.CompletionSources.Add(_ => File.Exists(ProfileFile.DefaultPath) ? ProfileFile.Read(ProfileFile.DefaultPath).Names : []);
        command.Options.Add(_bootstrapServer);
        command.Options.Add(_profile);
        command.Options.Add(_properties);
        command.Options.Add(_timeout);
        command.Options.Add(_json);
    }

    public bool Json(ParseResult result) => result.GetValue(_json);

    /// <summary>What is left of the time that the user gives brokers: a command of several calls does not get it for each.</summary>
    public TimeSpan Timeout(ParseResult result)
    {
        var left = Patience(result) - CommandClock.Time.GetElapsedTime(_started);
        return left > LeastTimeout ? left : LeastTimeout;
    }

    public bool IsTimeUp(ParseResult result) => Timeout(result) == LeastTimeout;

    /// <summary>How long the user waits for brokers that do not answer, in all; for commands that go on, at a stretch.</summary>
    public TimeSpan Patience(ParseResult result) => _timeout.Of(result);

    /// <summary>The last that a client said of a connection; null if all was well.</summary>
    public Error? LastError => _lastError;

    /// <summary>Takes what clients tell beside the results of calls. Threading: any thread.</summary>
    public void Hear(Error error)
    {
        // That all are down says less than what each was down for.
        if (error.Code != ErrorCode.Local_AllBrokersDown)
        {
            _lastError = error;
        }
    }

    /// <exception cref="CommandFailedException">The profile that is named is not there.</exception>
    public ClientTarget Target(ParseResult result) => ClientTarget.Choose(
        result.GetValue(_bootstrapServer), result.GetValue(_profile), Environment.GetEnvironmentVariable, () => ProfileFile.Read(ProfileFile.DefaultPath));

    /// <summary>Settings for an admin client, a producer or a consumer.</summary>
    public ClientConfig Config(ParseResult result)
    {
        var target = Target(result);
        var config = new ClientConfig
        {
            BootstrapServers = target.Address,
            ClientId = "millrace-cli",
            SocketConnectionSetupTimeoutMs = (int)Math.Max(1000, Timeout(result).TotalMilliseconds),
        };
        foreach (var (key, value) in target.Properties)
        {
            config.Set(key, value);
        }

        foreach (var (key, value) in KeyValue.ParseAll(result.GetValue(_properties), "--property"))
        {
            config.Set(key, value);
        }

        return config;
    }

    /// <summary>An admin client that stays quiet about retries; what matters comes back as an exception.</summary>
    public IAdminClient Admin(ParseResult result) =>
        new AdminClientBuilder(Config(result)).SetLogHandler((_, _) => { }).SetErrorHandler((_, error) => Hear(error)).Build();
}
