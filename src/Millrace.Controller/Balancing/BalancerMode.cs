namespace Millrace.Controller.Balancing;

/// <summary>What becomes of the balancer's plans.</summary>
internal enum BalancerMode
{
    /// <summary>None are made.</summary>
    Off,

    /// <summary>They are shown.</summary>
    Advise,

    /// <summary>They are carried out.</summary>
    On,
}
