using System.Collections.Concurrent;
using System.Net;

namespace Millrace.Tests.ObjectStorage.S3;

/// <summary>An HTTP server whose answers a test writes: for what no real store does on demand.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Func<HttpListenerRequest, (int Status, string Body)?> _answer;
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly Task _serving;

    /// <param name="answer">Null for a request that is never answered.</param>
    public ScriptedServer(Func<HttpListenerRequest, (int Status, string Body)?> answer)
    {
        _answer = answer;
        Endpoint = $"http://127.0.0.1:{S3Server.FreePort()}";
        _listener.Prefixes.Add(Endpoint + "/");
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Endpoint { get; }

    /// <summary>What has come so far, as <c>METHOD /path?query</c>.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    public static string Error(string code) => $"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>As the test wants it.</Message></Error>";

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                _ = AnswerAsync(await _listener.GetContextAsync());
            }
        }
        catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
        {
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        _requests.Enqueue($"{context.Request.HttpMethod} {context.Request.RawUrl}");
        if (_answer(context.Request) is not { } answer)
        {
            return;
        }

        try
        {
            await context.Request.InputStream.CopyToAsync(System.IO.Stream.Null);
            context.Response.StatusCode = answer.Status;
            await context.Response.OutputStream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(answer.Body));
            context.Response.Close();
        }
        catch (Exception gone) when (gone is HttpListenerException or ObjectDisposedException or IOException)
        {
        }
    }
}
