using Millrace.Protocol;

namespace Millrace.Controller;

/// <summary>A part of an administrative request is refused. Never leaves the operation: it becomes that part's answer.</summary>
internal sealed class AdminException(ErrorCode error, string message) : Exception(message)
{
    public ErrorCode Error => error;
}
