namespace Millrace.Simulation.Kernel;

/// <summary>A simulation has ended badly.</summary>
public sealed class SimulationException(string message, SimulationKernel kernel, Exception? inner = null) : Exception(message, inner)
{
    public SimulationKernel Kernel => kernel;
}
