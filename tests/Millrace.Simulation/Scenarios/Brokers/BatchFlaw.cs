namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>What is wrong with a batch, so that a broker has to refuse it, and it alone.</summary>
internal enum BatchFlaw
{
    None,

    /// <summary>One byte is not what was sent.</summary>
    Checksum,

    /// <summary>It says that it has one record more than it has.</summary>
    Malformed,

    /// <summary>It is larger than its topic allows.</summary>
    TooLarge,

    /// <summary>Its partition does not exist.</summary>
    UnknownPartition,
}
