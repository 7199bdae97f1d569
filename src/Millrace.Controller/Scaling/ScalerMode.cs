namespace Millrace.Controller.Scaling;

/// <summary>What becomes of the number of brokers that the scaler finds right.</summary>
internal enum ScalerMode
{
    /// <summary>None is looked for.</summary>
    Off,

    /// <summary>It is told to whoever asks.</summary>
    Advise,

    /// <summary>The command is run for it, and a broker that is to go is drained before.</summary>
    On,
}
