using Millrace.Network.Access;

namespace Millrace.Network.Requests;

/// <summary>What stands between a request's bytes and its handler: who asks, whether they may, and how fast.</summary>
/// <param name="Authenticator">Who asks.</param>
/// <param name="Authorizer">Whether they may.</param>
/// <param name="Throttle">How fast.</param>
internal sealed record RequestSteps(IAuthenticator Authenticator, IAuthorizer Authorizer, IThrottle Throttle)
{
    /// <summary>Everyone is anonymous, may do everything, and may hurry.</summary>
    public static RequestSteps Open { get; } = All(new OpenSteps());

    private static RequestSteps All(OpenSteps open) => new(open, open, open);
}
