using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>Tests of the command line share a broker of their own, and run one after another beside those of other clients.</summary>
[CollectionDefinition(Name)]
public sealed class CommandLineTestGroup : ICollectionFixture<SharedBroker>
{
    public const string Name = "Command line";
}
