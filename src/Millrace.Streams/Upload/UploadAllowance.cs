namespace Millrace.Streams.Upload;

/// <summary>
/// What one upload may still take: an object is laid out in memory, and work that is bounded can be done, or repeated, when there is little of it. The
/// first record always fits.
/// </summary>
/// <param name="bytes">Of payload.</param>
/// <param name="records">How many.</param>
/// <param name="closes">How many streams may be closed with it: the registry does not take any number at once. What is too much is closed by itself.</param>
internal sealed class UploadAllowance(long bytes, int records, int closes)
{
    private bool _used;

    /// <summary>Something did not fit: there is work for another upload.</summary>
    public bool IsExhausted { get; private set; }

    public bool TryTake(int payload)
    {
        if (IsExhausted || (_used && (bytes < payload || records == 0)))
        {
            IsExhausted = true;
            return false;
        }

        _used = true;
        bytes -= payload;
        records--;
        return true;
    }

    public bool TryTakeClose() => closes > 0 && closes-- > 0;
}
