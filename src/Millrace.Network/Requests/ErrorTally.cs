using System.Diagnostics.Metrics;
using Millrace.Protocol;

namespace Millrace.Network.Requests;

/// <summary>Counts the errors in one API's answers, by their names. Safe for use from any thread.</summary>
internal sealed class ErrorTally(Counter<long> counter, KeyValuePair<string, object?> api)
{
    private const int Lowest = (int)ErrorCode.UnknownServerError;

    // One boxed name a code, not one an error. Codes that we have no name for share one.
    private static readonly KeyValuePair<string, object?>[] Names =
    [
        .. Enumerable.Range(Lowest, (int)Enum.GetValues<ErrorCode>().Max() - Lowest + 1)
            .Select(code => KeyValuePair.Create("error", (object?)(Enum.GetName((ErrorCode)code) ?? "Other"))),
    ];

    /// <param name="code">As the answer carries it; 0 is no error.</param>
    public void Add(short code)
    {
        if (code != (short)ErrorCode.None)
        {
            counter.Add(1, api, Names[Math.Clamp(code - Lowest, 0, Names.Length - 1)]);
        }
    }

    /// <summary>For answers that are not made for every batch of records: those name theirs one by one, without an enumerator.</summary>
    /// <param name="codes">As the answer carries them.</param>
    public void Add(IEnumerable<short> codes)
    {
        foreach (var code in codes)
        {
            Add(code);
        }
    }
}
