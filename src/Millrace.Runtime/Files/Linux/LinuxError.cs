namespace Millrace.Runtime.Files.Linux;

/// <summary>The errnos that the code decides by; <see cref="Exception.HResult"/> of an <see cref="IOException"/> holds them.</summary>
public static class LinuxError
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int AccessDenied = 13;
    public const int Busy = 16;
    public const int Exists = 17;
    public const int NotDirectory = 20;
    public const int IsDirectory = 21;
    public const int Invalid = 22;
    public const int NoSpace = 28;
    public const int ReadOnly = 30;
    public const int NameTooLong = 36;
    public const int NotEmpty = 39;
    public const int NotSupported = 95;
    public const int QuotaExceeded = 122;
    public const int WouldBlock = 11;
    public const int NoSuchControl = 25;

    /// <summary>EBADE: another host has the device reserved.</summary>
    public const int BadExchange = 52;

    /// <summary>The exception for a failed call: its message for people, its errno for code.</summary>
    public static IOException ToException(int error, string operation, string path) =>
        new($"{operation} {path}: {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(error)} (errno {error})", error);
}
