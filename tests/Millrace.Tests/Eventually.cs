namespace Millrace.Tests;

/// <summary>Waits for what other threads bring about: until it is so, with a limit that no healthy machine reaches.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static Task<bool> BecomesTrueAsync(Func<bool> condition) => BecomesTrueAsync(() => Task.FromResult(condition()));

    public static async Task<bool> BecomesTrueAsync(Func<Task<bool>> condition)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Limit)
            {
                return false;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5));
        }

        return true;
    }
}
