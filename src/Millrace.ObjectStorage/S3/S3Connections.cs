using Amazon.Runtime;

namespace Millrace.ObjectStorage.S3;

/// <summary>The connections of one store to its server.</summary>
/// <remarks>
/// The SDK asks with <c>Expect: 100-continue</c> whether it may send a body, and sends it all the same when no answer comes in
/// time. A server that refuses meanwhile takes the late body for the next request (seen: Ceph RGW answers that with 405).
/// So bodies go out at once, which also spares a round trip.
/// </remarks>
internal sealed class S3Connections : HttpClientFactory, IDisposable
{
    private readonly HttpClient _client;

    public S3Connections(int connections)
    {
        var sockets = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = connections,
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };

        // Each call has its own limit of time, its body included.
        _client = new HttpClient(new SendAtOnce(sockets)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => _client;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public void Dispose() => _client.Dispose();

    private sealed class SendAtOnce(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.ExpectContinue = false;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
