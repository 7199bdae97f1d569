using Millrace.Tests;
using Xunit.Sdk;
using Xunit.v3;

[assembly: Xunit.TestCollectionOrderer(typeof(GroupsFirst))]

namespace Millrace.Tests;

/// <summary>
/// Classes that share a broker run one after another, for minutes: they begin first, lest everything else ends long before them. The rest in any order.
/// </summary>
public sealed class GroupsFirst : ITestCollectionOrderer
{
    private const string OfOneClass = "Test collection for ";

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => collection.TestCollectionDisplayName.StartsWith(OfOneClass, StringComparison.Ordinal))];
}
