using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol;

namespace Millrace.Tests.Network.Requests;

/// <summary>Steps that a test decides about: who is known, what is forbidden, and how long a client pauses.</summary>
internal sealed class StepsUnderTest : IAuthenticator, IAuthorizer, IThrottle
{
    public static Principal Known { get; } = new("User", "ada");

    public RequestSteps Steps => new(this, this, this);

    /// <summary>Who sends an API's requests; null closes the connection.</summary>
    public Func<ApiKey, Principal?> Authenticated { get; set; } = _ => Known;

    /// <summary>What nobody may do.</summary>
    public Func<Operation, ResourceKind, string, bool> Forbidden { get; set; } = (_, _, _) => false;

    public Func<RequestCall, TimeSpan> Pause { get; set; } = _ => TimeSpan.Zero;

    public Principal? Authenticate(ClientConnection client, ApiKey api) => Authenticated(api);

    public bool IsUnrestricted(Principal principal) => false;

    public bool Allows(Principal principal, ClientConnection client, Operation operation, ResourceKind kind, string name) =>
        principal == Known && !Forbidden(operation, kind, name);

    public TimeSpan Charge(RequestCall call) => Pause(call);
}
