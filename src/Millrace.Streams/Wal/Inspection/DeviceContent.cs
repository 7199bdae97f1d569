namespace Millrace.Streams.Wal.Inspection;

/// <summary>What stands at a device's beginning.</summary>
public enum DeviceContent
{
    /// <summary>Zeros: a broker may take it.</summary>
    Nothing,

    /// <summary>A label of Millrace's, as this program writes it.</summary>
    Wals,

    /// <summary>A label of another version, or one that is damaged.</summary>
    UnreadableLabel,

    /// <summary>Something that is not Millrace's.</summary>
    SomethingElse,
}
