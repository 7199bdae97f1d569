namespace Millrace.Controller.Balancing;

/// <summary>What a move is for. The higher ones come first.</summary>
internal enum BalanceGoal
{
    /// <summary>A node that leads next to nothing gets its share.</summary>
    Fill,

    /// <summary>A node's processors have too much to do.</summary>
    Overload,

    /// <summary>A node moves far more bytes than the others.</summary>
    Load,

    /// <summary>A node leads far more partitions than the others.</summary>
    Count,
}
