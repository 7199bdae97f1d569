using System.Collections.Immutable;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Objects;

/// <summary>
/// How long this process has seen objects in a set. A controller trusts no clock but its own, from its own start on: the times in the
/// records are another controller's, and for people.
/// </summary>
internal sealed class ObjectAges(NodeRuntime runtime)
{
    private readonly SortedDictionary<ObjectId, long> _seen = [];

    /// <summary>Looks at the set as it is now.</summary>
    /// <returns>Those that have been in it for at least <paramref name="age"/>, by id.</returns>
    public IReadOnlyList<ObjectId> OlderThan(ImmutableSortedSet<ObjectId> present, TimeSpan age)
    {
        foreach (var gone in _seen.Keys.Where(id => !present.Contains(id)).ToArray())
        {
            _seen.Remove(gone);
        }

        foreach (var id in present)
        {
            _seen.TryAdd(id, runtime.Time.GetTimestamp());
        }

        return [.. _seen.Where(seen => runtime.Time.GetElapsedTime(seen.Value) >= age).Select(seen => seen.Key)];
    }
}
