namespace Millrace.Runtime.Ids;

/// <summary>
/// Names the object store that an object lies in; every reference to an object carries it. There is one so far, the cluster's own. A
/// further one would come with a feature level, at which older programs stop.
/// </summary>
public readonly record struct StoreId(short Value)
{
    /// <summary>The store that is the cluster: metadata lies here, and so far all data.</summary>
    public static StoreId Own => default;

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
