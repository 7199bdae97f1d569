using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Millrace.Runtime;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Millrace.Server.Http;

/// <summary>
/// <c>/healthz</c>, <c>/readyz</c>, <c>/cluster/scaling</c> and <c>/metrics</c>, on a port of their own: for operators' machines, not for clients.
/// </summary>
internal sealed class HttpEndpoints : IAsyncDisposable
{
    /// <summary>More are closed at once.</summary>
    internal const int MaxConnections = 100;

    /// <summary>Meters of ours, and of the .NET runtime.</summary>
    private static readonly string[] Meters = ["Millrace.*", "System.Runtime"];

    private readonly WebApplication _application;

    private HttpEndpoints(WebApplication application, EndPoint address) => (_application, Address) = (application, address);

    public EndPoint Address { get; }

    public static async Task<HttpEndpoints> StartAsync(
        IPEndPoint address, NodeHealth health, ScalingReport scaling, IConnectionListenerFactory transport, ILoggerFactory loggers, CancellationToken token)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Listen(address, listener => listener.Protocols = HttpProtocols.Http1);
        });
        // Behind Kestrel's own: the last one counts.
        builder.Services.AddSingleton(transport);
        builder.Services.AddSingleton(loggers);
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("millrace", serviceVersion: ProductVersion.Number, autoGenerateServiceInstanceId: false))
            .WithMetrics(metrics => metrics.AddMeter(Meters).AddPrometheusExporter());
        var application = builder.Build();
        application.UseOpenTelemetryPrometheusScrapingEndpoint("/metrics");
        application.Run(context => context.Request.Path.Value == "/cluster/scaling" ? AnswerAsync(context, scaling) : AnswerAsync(context, health));
        try
        {
            await application.StartAsync(token);
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }

        var bound = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new HttpEndpoints(application, new IPEndPoint(address.Address, BindingAddress.Parse(bound).Port));
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }

    private static async Task AnswerAsync(HttpContext context, ScalingReport scaling)
    {
        var (isGood, json) = await scaling.AskAsync(context.RequestAborted);
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.StatusCode = isGood ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await context.Response.WriteAsync(json + "\n");
    }

    private static Task AnswerAsync(HttpContext context, NodeHealth health)
    {
        var report = context.Request.Path.Value switch
        {
            "/healthz" => health.Health(),
            "/readyz" => health.Readiness(),
            _ => null,
        };
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.StatusCode = report switch
        {
            null => StatusCodes.Status404NotFound,
            { IsGood: true } => StatusCodes.Status200OK,
            _ => StatusCodes.Status503ServiceUnavailable,
        };
        return context.Response.WriteAsync(report is null
            ? "not here: /healthz, /readyz, /cluster/scaling, /metrics\n"
            : string.Concat(report.Lines.Select(line => line + "\n")));
    }
}
