using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>
/// What an administrator asks a group's coordinator. It may be loading just then, or on its way to another broker: the client library asks again for members,
/// and not for administrators.
/// </summary>
internal static class GroupCalls
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Asks until the coordinator answers, or so much time is up.</summary>
    /// <exception cref="KafkaException">What was said last.</exception>
    public static async Task<T> RepeatAsync<T>(TimeSpan timeout, Func<Task<T>> call)
    {
        var began = CommandClock.Time.GetTimestamp();
        while (true)
        {
            try
            {
                return await call();
            }
            catch (KafkaException failure) when (HasNoCoordinator(failure) && CommandClock.Time.GetElapsedTime(began) < timeout)
            {
                await Task.Delay(Pause, CommandClock.Time);
            }
        }
    }

    private static bool HasNoCoordinator(KafkaException failure) =>
        ClientErrors.Of(failure) is { Count: > 0 } errors && errors.All(error => error.Error.Code
            is ErrorCode.GroupCoordinatorNotAvailable or ErrorCode.GroupLoadInProgress or ErrorCode.NotCoordinatorForGroup);
}
