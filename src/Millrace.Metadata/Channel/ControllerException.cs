namespace Millrace.Metadata.Channel;

/// <summary>A request to the controller was refused as a whole; <see cref="Error"/> says what the sender may conclude.</summary>
public sealed class ControllerException(ControllerError error, string message, Exception? inner = null) : Exception(message, inner)
{
    public ControllerError Error => error;
}
