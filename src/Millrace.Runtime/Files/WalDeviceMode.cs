namespace Millrace.Runtime.Files;

/// <summary>How a WAL's writes reach its medium.</summary>
public enum WalDeviceMode
{
    /// <summary>Through the page cache; fdatasync makes them durable.</summary>
    Buffered,

    /// <summary>O_DIRECT: aligned, past the page cache; fdatasync flushes the device's own cache.</summary>
    Direct,
}
