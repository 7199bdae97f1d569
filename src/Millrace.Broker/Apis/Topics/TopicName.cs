namespace Millrace.Broker.Apis.Topics;

/// <summary>Kafka's rules for topic names.</summary>
internal static class TopicName
{
    private const int MaxLength = 249;

    public static bool IsValid(string name)
    {
        if (name.Length is 0 or > MaxLength || name is "." or "..")
        {
            return false;
        }

        foreach (var letter in name)
        {
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('.' or '_' or '-'))
            {
                return false;
            }
        }

        return true;
    }
}
