namespace Millrace.Tests;

/// <summary>Waits for what other threads bring about: until it is so, with a limit that no healthy machine reaches.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task<bool> BecomesTrueAsync(Func<bool> condition)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
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
