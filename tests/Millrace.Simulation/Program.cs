using Millrace.Simulation.Runner;

return SimCommand.Create().Parse(args).Invoke();
