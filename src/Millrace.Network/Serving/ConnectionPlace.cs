namespace Millrace.Network.Serving;

/// <summary>Whether a connection has found a place among the open ones.</summary>
internal enum ConnectionPlace
{
    Taken,

    /// <summary>There are as many as the server may have: it waits until one ends.</summary>
    Full,

    /// <summary>Its address has as many as one may have: it is closed.</summary>
    AddressFull,
}
