using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>Tests of real clients share a broker, and run one after another so that two cores serve each in time.</summary>
[CollectionDefinition(Name)]
public sealed class ClientTestGroup : ICollectionFixture<SharedBroker>, ICollectionFixture<SharedKafka>
{
    public const string Name = "Real clients";
}
