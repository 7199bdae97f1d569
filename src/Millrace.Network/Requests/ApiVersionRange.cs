namespace Millrace.Network.Requests;

/// <summary>The versions of an API that a handler serves, both ends inclusive.</summary>
internal readonly record struct ApiVersionRange(short Min, short Max)
{
    public bool Contains(short version) => version >= Min && version <= Max;
}
