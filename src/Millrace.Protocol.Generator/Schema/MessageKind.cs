namespace Millrace.Protocol.Generator.Schema;

/// <summary>What a message is for: decides its class name and the interface it implements.</summary>
internal enum MessageKind
{
    Request,
    Response,
    Header,
    Data,
    CoordinatorKey,
    CoordinatorValue,
    Record,
}
