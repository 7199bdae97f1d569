namespace Millrace.Protocol.Primitives;

/// <summary>A closed range of an API's or a record's versions.</summary>
public readonly record struct VersionRange(short Min, short Max)
{
    public bool Contains(short version) => version >= Min && version <= Max;

    public override string ToString() => Min == Max ? $"{Min}" : $"{Min}-{Max}";
}
