using System.CommandLine;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Millrace.Server.Cli;

/// <summary>A command that talks to a broker as any Kafka client would. Derived commands add their arguments and do one thing.</summary>
internal abstract class ClientCommand : Command
{
    protected ClientCommand(string name, string description)
        : base(name, description)
    {
        Client.AddTo(this);
        SetAction(RunAsync);
    }

    protected ClientOptions Client { get; } = new();

    protected abstract Task<int> ExecuteAsync(ParseResult result, CancellationToken token);

    private async Task<int> RunAsync(ParseResult result, CancellationToken token)
    {
        // What blocks its thread must not do so before the program listens to signals: a consumer that is interrupted leaves its group.
        await Task.Yield();
        try
        {
            return await ExecuteAsync(result, token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            return ExitCode.Failed;
        }
        catch (CommandFailedException failure)
        {
            return Messages.Error(Client.Json(result), failure.ExitCode, failure.Message);
        }
        catch (CreateTopicsException failure)
        {
            return Fail(failure.Results.Select(item => (item.Topic, item.Error)), result);
        }
        catch (DeleteTopicsException failure)
        {
            return Fail(failure.Results.Select(item => (item.Topic, item.Error)), result);
        }
        catch (CreatePartitionsException failure)
        {
            return Fail(failure.Results.Select(item => (item.Topic, item.Error)), result);
        }
        catch (DeleteRecordsException failure)
        {
            return Fail(failure.Results.Select(item => ($"{item.Topic}-{item.Partition.Value}", item.Error)), result);
        }
        catch (DeleteGroupsException failure)
        {
            return Fail(failure.Results.Select(item => (item.Group, item.Error)), result);
        }
        catch (DescribeTopicsException failure)
        {
            return Fail(failure.Results.TopicDescriptions.Select(item => (item.Name, item.Error)), result);
        }
        catch (DescribeConsumerGroupsException failure)
        {
            return Fail(failure.Results.ConsumerGroupDescriptions.Select(item => (item.GroupId, item.Error)), result);
        }
        catch (DescribeConfigsException failure)
        {
            return Fail(failure.Results.Select(item => (NameOf(item.ConfigResource), item.Error)), result);
        }
        catch (AlterConsumerGroupOffsetsException failure)
        {
            return Fail(failure.Results.SelectMany(group => Errors(group.Group, group.Error, group.Partitions)), result);
        }
        catch (ListConsumerGroupOffsetsException failure)
        {
            return Fail(failure.Results.SelectMany(group => Errors(group.Group, group.Error, group.Partitions)), result);
        }
        catch (ListConsumerGroupsException failure)
        {
            return Fail([("groups", failure.Error)], result);
        }
        catch (ListOffsetsException failure)
        {
            return Fail(failure.Result.ResultInfos.Select(item => (item.TopicPartitionOffsetError.TopicPartition.ToString(), item.TopicPartitionOffsetError.Error)), result);
        }
        catch (IncrementalAlterConfigsException failure)
        {
            return Fail(failure.Results.Select(item => (NameOf(item.ConfigResource), item.Error)), result);
        }
        catch (KafkaException failure)
        {
            return Messages.Error(Client.Json(result), CodeFor(failure.Error), Advice(failure.Error, result));
        }
        catch (InvalidOperationException failure) when (failure.Message.StartsWith("No such configuration property", StringComparison.Ordinal))
        {
            return Messages.Error(Client.Json(result), ExitCode.Usage, $"--property, or a profile: librdkafka has none of that name: {failure.Message}");
        }
        catch (ArgumentException failure)
        {
            return Messages.Error(Client.Json(result), ExitCode.Usage, failure.Message);
        }
    }

    private int Fail(IEnumerable<(string What, Error Error)> results, ParseResult result)
    {
        var failures = results.Where(item => item.Error.IsError).ToList();
        if (failures.Count > 0 && failures.TrueForAll(item => CodeFor(item.Error) == ExitCode.Unreachable))
        {
            return Messages.Error(Client.Json(result), ExitCode.Unreachable, Advice(failures[0].Error, result));
        }

        foreach (var (what, error) in failures)
        {
            Messages.Error(Client.Json(result), CodeFor(error), $"{what}: {error.Reason} ({error.Code})");
        }

        return failures.Count == 0 ? ExitCode.Failed : CodeFor(failures[0].Error);
    }

    private static string NameOf(ConfigResource resource) => resource.Type == ResourceType.Broker ? $"broker {resource.Name}" : resource.Name;

    private static IEnumerable<(string What, Error Error)> Errors(string group, Error error, IEnumerable<TopicPartitionOffsetError> partitions) =>
        partitions.Select(partition => ($"{partition.Topic}-{partition.Partition.Value}", partition.Error)).Prepend((group, error));

    private string Advice(Error error, ParseResult result) => CodeFor(error) == ExitCode.Unreachable
        ? $"No broker answered at {Client.Target(result).Address} ({error.Reason}). Is one running there (`millrace start`)? Another address goes with --bootstrap-server."
        : $"{error.Reason} ({error.Code})";

    private static int CodeFor(Error error) => error.Code switch
    {
        ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic or ErrorCode.Local_UnknownPartition or ErrorCode.GroupIdNotFound
            or ErrorCode.UnknownTopicId => ExitCode.NotFound,
        ErrorCode.TopicAlreadyExists => ExitCode.AlreadyExists,
        ErrorCode.Local_Transport or ErrorCode.Local_TimedOut or ErrorCode.Local_AllBrokersDown or ErrorCode.Local_Resolve
            or ErrorCode.Local_TimedOutQueue or ErrorCode.Local_MsgTimedOut => ExitCode.Unreachable,
        ErrorCode.Local_InvalidArg or ErrorCode.Local_UnknownProtocol => ExitCode.Usage,
        _ => ExitCode.Failed,
    };
}
