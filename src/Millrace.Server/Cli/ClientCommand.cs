using System.CommandLine;
using Confluent.Kafka;
using Millrace.Runtime;
using Millrace.Server.Cli.Diagnosis;
using Millrace.Server.Options;

namespace Millrace.Server.Cli;

/// <summary>A command that talks to a broker as any Kafka client would. Derived commands add their arguments and do one thing.</summary>
internal abstract class ClientCommand : Command
{
    // What the time that a user gives may be exceeded by, to find out why it was not enough.
    private static readonly TimeSpan LastLook = TimeSpan.FromSeconds(2);

    // So much later than it should, a client call has most likely been forgotten by its library.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private BrokerWatch? _watch;

    protected ClientCommand(string name, string description)
        : base(name, description)
    {
        Client.AddTo(this);
        SetAction(RunAsync);
    }

    protected ClientOptions Client { get; } = new();

    /// <summary>Says what holds the command up, while it is carried out.</summary>
    protected BrokerWatch Watch => _watch!;

    protected abstract Task<int> ExecuteAsync(ParseResult result, CancellationToken token);

    /// <summary>It ends by its input or output and not by its time, and sees to it itself that it waits for brokers no longer than it may.</summary>
    protected virtual bool IsLasting => false;

    /// <summary>The topics that must be there and have leaders, for the command to do its work.</summary>
    protected virtual IEnumerable<string> TopicsOf(ParseResult result) => [BrokerInquiry.GroupsTopic];

    private async Task<int> RunAsync(ParseResult result, CancellationToken token)
    {
        // What blocks its thread must not do so before the program listens to signals: a consumer that is interrupted leaves its group.
        await Task.Yield();
        var json = Client.Json(result);
        BrokerInquiry? inquiry = null;
        try
        {
            inquiry = new BrokerInquiry(CommandClock.Time, Client.Config(result), TopicsOf(result));
            await ReachAsync(inquiry, result, token);
            await using (_watch = new BrokerWatch(CommandClock.Time, inquiry, line => Messages.Note(json, line)))
            {
                var work = ExecuteAsync(result, token);
                return IsLasting ? await work : await InTimeAsync(work, Client.Timeout(result) + Grace);
            }
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            return ExitCode.Failed;
        }
        catch (CommandFailedException failure)
        {
            return Messages.Error(json, failure.ExitCode, failure.Message);
        }
        catch (Exception failure) when (ClientErrors.Of(failure) is { } errors)
        {
            return await ExplainAsync(failure, errors, inquiry!, result, token);
        }
        catch (InvalidOperationException failure) when (failure.Message.StartsWith("No such configuration property", StringComparison.Ordinal))
        {
            return Messages.Error(json, ExitCode.Usage, $"--property, or a profile: librdkafka has none of that name: {failure.Message}");
        }
        catch (Exception failure) when (failure is ArgumentException or SettingsException)
        {
            return Messages.Error(json, ExitCode.Usage, failure.Message);
        }
    }

    /// <summary>Some calls of the client library look for a leader for as long as there is none, whatever time they are given.</summary>
    private static async Task<int> InTimeAsync(Task<int> work, TimeSpan time)
    {
        using var limit = new CancellationTokenSource(time, CommandClock.Time);
        try
        {
            return await work.OrCancelled(limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new KafkaException(ErrorCode.Local_TimedOut);
        }
    }

    /// <summary>
    /// Goes on as soon as a broker answers. Who refuses connections is not waited for; who takes them may be starting, and who does neither be overloaded, or
    /// this machine.
    /// </summary>
    private async Task ReachAsync(BrokerInquiry inquiry, ParseResult result, CancellationToken token)
    {
        var isTold = false;
        while (true)
        {
            var finding = await inquiry.LookAsync(Client.Timeout(result), token);
            if (!finding.IsWithoutAnswer)
            {
                return;
            }

            if (!finding.IsOpen || Client.IsTimeUp(result))
            {
                throw new CommandFailedException(ExitCode.Of(finding.Kind), finding.Message);
            }

            if (!isTold)
            {
                Messages.Note(Client.Json(result), $"{finding.Words}. Waiting.");
                isTold = true;
            }
        }
    }

    private async Task<int> ExplainAsync(
        Exception failure, IReadOnlyList<(string? What, Error Error)> errors, BrokerInquiry inquiry, ParseResult result, CancellationToken token)
    {
        var json = Client.Json(result);
        var isWait = errors.Count > 0 && errors.All(item => ClientErrorCodes.IsWait(item.Error.Code));

        // A partition that nobody leads is unknown to the client.
        if (isWait || (errors.Count > 0 && errors.All(item => item.Error.Code == ErrorCode.Local_UnknownPartition)))
        {
            Finding finding;
            do
            {
                finding = await inquiry.LookAsync(LastLook, token);
            }
            while (finding.IsOpen && !Client.IsTimeUp(result));
            if (!finding.IsWell)
            {
                return Messages.Error(json, ExitCode.Of(finding.Kind), finding.Message);
            }
        }

        if (isWait)
        {
            var seconds = Client.Patience(result).TotalSeconds;
            return Messages.Error(json, ExitCode.TimedOut, !inquiry.SeesAll && Client.LastError is { } heard
                ? $"A broker is at {inquiry.Address}, but the connection does not work: {heard.Reason}."
                : $"A broker answers at {inquiry.Address}, but not all was done in {seconds:0.###} s ({errors[0].Error.Reason}). --timeout gives it longer.");
        }

        foreach (var (what, error) in errors)
        {
            var absence = what is null ? null : Missing(failure, what, error.Code, result);
            Messages.Error(json, ClientErrorCodes.ExitCodeOf(error.Code), absence ?? $"{(what is null ? "" : $"{what}: ")}{error.Reason} ({error.Code})");
        }

        return errors.Count == 0 ? ExitCode.Failed : ClientErrorCodes.ExitCodeOf(errors[0].Error.Code);
    }

    /// <summary>Says that the topic or group is not there that an error is about; null where the error says something else.</summary>
    private string? Missing(Exception failure, string what, ErrorCode code, ParseResult result)
    {
        if (code == ErrorCode.GroupIdNotFound)
        {
            return Absence.OfGroup(what);
        }

        if (code != ErrorCode.UnknownTopicOrPart || !ClientErrors.AreOfTopics(failure))
        {
            return null;
        }

        try
        {
            using var admin = Client.Admin(result);
            return Absence.OfTopic(admin, what, LastLook);
        }
        catch (KafkaException)
        {
            // The broker has gone since, and the library's words have to do.
            return null;
        }
    }
}
