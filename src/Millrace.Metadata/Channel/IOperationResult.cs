namespace Millrace.Metadata.Channel;

/// <summary>The result of one operation among several of a request: the error is the operation's alone.</summary>
public interface IOperationResult
{
    /// <summary>A <see cref="ControllerError"/>.</summary>
    short ErrorCode { get; set; }

    string? ErrorMessage { get; set; }
}
