namespace Millrace.Protocol.Generator.Schema;

/// <summary>What a field's (or an array element's) value is on the wire.</summary>
internal enum FieldKind
{
    Bool,
    Int8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    Float64,
    Uuid,
    String,
    Bytes,
    Records,
    Struct,
}
