namespace Millrace.Metadata.Image;

/// <summary>What the metadata knows of a WAL. Numbers are stored.</summary>
public enum WalState : byte
{
    /// <summary>Its incarnation may write to it.</summary>
    Open = 1,

    /// <summary>Its incarnation is fenced; it may hold acknowledged records that are in no object.</summary>
    AwaitsRecovery = 2,

    /// <summary>Nothing in it is needed: committed objects hold it all. The space that it takes may go, and then this entry.</summary>
    Retired = 3,
}
