using Millrace.Protocol;

namespace Millrace.Network.Requests;

/// <summary>What stands before a request's body.</summary>
/// <param name="Api">The API asked for; served or not.</param>
/// <param name="Version">The version asked for; served or not.</param>
/// <param name="CorrelationId">Returned with the answer.</param>
/// <param name="ClientId">As the client calls itself, or null.</param>
internal readonly record struct RequestHead(ApiKey Api, short Version, int CorrelationId, string? ClientId);
