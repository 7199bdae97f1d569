using Millrace.Protocol;

namespace Millrace.Controller.Topics;

/// <summary>Why one part of an administrative request is not carried out: becomes that part's answer, and changes nothing.</summary>
/// <param name="Error">Kafka's code for it.</param>
/// <param name="Message">For the person who asked.</param>
internal sealed record Refusal(ErrorCode Error, string Message);
