namespace Millrace.Controller.Scaling;

/// <summary>What a look of the scaler changes.</summary>
internal enum ScaleChange
{
    /// <summary>Nothing, or only that it counts with brokers that an operator has started.</summary>
    None,

    /// <summary>Brokers are to come.</summary>
    Out,

    /// <summary>One is to go.</summary>
    In,

    /// <summary>The one that was to go is needed after all.</summary>
    Keep,

    /// <summary>Those that were to come have not, and are not needed any more.</summary>
    Recall,
}
