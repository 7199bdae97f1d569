using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Server.Options;

/// <summary>A host and a port, as operators write them: <c>host:port</c>, <c>:port</c> for every interface, <c>[::1]:port</c>.</summary>
/// <param name="Host">A name or an address without brackets; empty for every interface.</param>
/// <param name="Port">0 lets the system choose.</param>
internal readonly record struct HostPort(string Host, int Port)
{
    public bool IsEveryInterface => Host is "" or "0.0.0.0" or "::" or "*";

    /// <exception cref="SettingsException">It is not of that form.</exception>
    public static HostPort Parse(string text, string setting)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > ushort.MaxValue)
        {
            throw new SettingsException($"{setting} takes HOST:PORT, not '{text}'.");
        }

        var host = text[..colon];
        if (host.Contains('/', StringComparison.Ordinal))
        {
            throw new SettingsException($"{setting} takes HOST:PORT, not '{text}'.");
        }

        return host.Contains(':', StringComparison.Ordinal) && !(host.StartsWith('[') && host.EndsWith(']'))
            ? throw new SettingsException($"{setting}: an IPv6 address stands in brackets: '[{host}]:{port}'.")
            : new HostPort(host.Trim('[', ']'), port);
    }

    /// <summary>The address to bind to.</summary>
    /// <exception cref="SettingsException">The name is unknown.</exception>
    public async ValueTask<IPEndPoint> ResolveAsync(CancellationToken token)
    {
        if (IsEveryInterface)
        {
            return new IPEndPoint(Socket.OSSupportsIPv6 && Host != "0.0.0.0" ? IPAddress.IPv6Any : IPAddress.Any, Port);
        }

        if (IPAddress.TryParse(Host, out var address))
        {
            return new IPEndPoint(address, Port);
        }

        try
        {
            var addresses = await Dns.GetHostAddressesAsync(Host, token);
            return new IPEndPoint(addresses.FirstOrDefault(found => found.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0], Port);
        }
        catch (SocketException unknown)
        {
            throw new SettingsException($"The host '{Host}' is not known here: {unknown.Message}", unknown);
        }
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
