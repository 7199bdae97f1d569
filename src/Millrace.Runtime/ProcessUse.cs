namespace Millrace.Runtime;

/// <summary>What a process has taken of its machine. Comes from whoever composes the node: in the simulator no process takes anything.</summary>
/// <param name="ProcessorTime">On all processors, since it began.</param>
/// <param name="Processors">How many it may use.</param>
/// <param name="Memory">What it holds now, in bytes.</param>
public readonly record struct ProcessUse(TimeSpan ProcessorTime, int Processors, long Memory);
