using System.Collections.Frozen;
using Millrace.Network.Access;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Network.Requests;

/// <summary>
/// The way of every request: decode → authenticate → authorize → throttle → handle → encode. The first two steps stand here, the others in the
/// calls of its <see cref="ApiEntry"/>, the last in the request's turn.
/// </summary>
/// <remarks>Threading: any thread. What is not in the table is not served: a client that asks for it is disconnected, as by Kafka.</remarks>
internal sealed class RequestPipeline
{
    private readonly FrozenDictionary<ApiKey, ApiEntry> _byKey;
    private readonly RequestSteps _steps;

    /// <param name="apis">All that are served, each key once, ApiVersions among them.</param>
    /// <param name="steps">What requests pass on the way to their handlers.</param>
    public RequestPipeline(IReadOnlyList<ApiEntry> apis, RequestSteps steps)
    {
        _steps = steps;
        _byKey = apis.ToFrozenDictionary(api => api.Key);
        Invariant.Check(_byKey.Count == apis.Count);
    }

    /// <summary>All that are served, in no order.</summary>
    public IEnumerable<ApiEntry> Apis => _byKey.Values;

    /// <summary>Makes a call of a frame, which holds the call's bytes until it has completed.</summary>
    /// <exception cref="UnservableRequestException">The API or the version is not served, or not to this client yet.</exception>
    /// <exception cref="ProtocolException">Header or body is malformed.</exception>
    public RequestCall Decode(PooledBuffer frame, ClientConnection client)
    {
        var reader = new KafkaReader(frame.Memory);
        var key = (ApiKey)reader.ReadInt16();
        var version = reader.ReadInt16();
        var correlationId = reader.ReadInt32();
        if (!_byKey.TryGetValue(key, out var api))
        {
            throw new UnservableRequestException($"API key {(short)key} (version {version}) is not served");
        }

        var principal = _steps.Authenticator.Authenticate(client, key)
            ?? throw new UnservableRequestException($"{key} came before the client had authenticated");
        var access = new AccessCheck(_steps.Authorizer, principal, client);
        if (!api.Versions.Contains(version))
        {
            return key == ApiKey.ApiVersions
                ? AnsweredCall.OfUnsupportedVersion(api.Versions, correlationId, frame, access)
                : throw new UnservableRequestException($"{key} v{version} is not served, only v{api.Versions.Min} to v{api.Versions.Max}");
        }

        var clientId = reader.ReadNullableString(flexible: false);
        if (api.IsFlexible(version))
        {
            reader.ReadUnknownTaggedFields();
        }

        return api.Decode(new RequestHead(key, version, correlationId, clientId), ref reader, frame, access, _steps.Throttle);
    }
}
