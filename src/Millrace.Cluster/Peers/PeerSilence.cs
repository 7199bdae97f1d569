namespace Millrace.Cluster.Peers;

/// <summary>Why a node has not answered.</summary>
internal enum PeerSilence
{
    /// <summary>It has.</summary>
    None,

    /// <summary>Its port refuses: its process is gone.</summary>
    Gone,

    /// <summary>Nobody knows.</summary>
    Silent,
}
