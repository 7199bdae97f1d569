using Millrace.Tests;
using Xunit.Sdk;
using Xunit.v3;

[assembly: Xunit.TestCollectionOrderer(typeof(GroupsFirst))]

namespace Millrace.Tests;

/// <summary>
/// What is named as a collection runs for minutes, one test after another: classes that share a broker, and simulations. They are to begin first, lest
/// everything else ends long before them. The rest in any order.
/// </summary>
/// <remarks>
/// All are queued on one thread of the pool, which takes from the end of its queue while the other three take from its front, and a simulation keeps the
/// thread that has taken it. So these stand in front, and in the end those that wait for their broker at first: none is left over in between.
/// </remarks>
public sealed class GroupsFirst : ITestCollectionOrderer
{
    private const string OfOneClass = "Test collection for ";

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(static collection => Place(collection.TestCollectionDisplayName))];

    private static int Place(string name) =>
        name.StartsWith(OfOneClass, StringComparison.Ordinal) ? 1
        : name.StartsWith("Simulated", StringComparison.Ordinal) ? 0
        : 2;
}
