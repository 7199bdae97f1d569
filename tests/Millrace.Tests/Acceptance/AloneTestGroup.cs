using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>Tests that count what depends on answers in time: they run when all others are done, one after another.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneTestGroup
{
    public const string Name = "Alone";
}
