namespace Millrace.Streams.Registry;

/// <summary>The formats of data objects. Numbers are stored.</summary>
public enum ObjectKind : byte
{
    /// <summary>Many streams, from one upload.</summary>
    StreamSet = 1,

    /// <summary>One stream.</summary>
    Stream = 2,
}
