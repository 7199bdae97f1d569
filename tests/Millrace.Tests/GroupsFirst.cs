using Millrace.Tests;
using Xunit.Sdk;
using Xunit.v3;

[assembly: Xunit.TestCollectionOrderer(typeof(GroupsFirst))]

namespace Millrace.Tests;

/// <summary>
/// What is named as a collection runs for minutes, one test after another: classes that share a broker, and simulations. They begin first, lest everything
/// else ends long before them. The rest in any order.
/// </summary>
public sealed class GroupsFirst : ITestCollectionOrderer
{
    private const string OfOneClass = "Test collection for ";

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => collection.TestCollectionDisplayName.StartsWith(OfOneClass, StringComparison.Ordinal))];
}
