using System.Net;
using System.Net.Sockets;

namespace Millrace.Server.Cli.Dev;

/// <summary>Ports of this machine that brokers of a small cluster would like to have.</summary>
internal static class LocalPort
{
    /// <summary>Whether a broker could listen there now.</summary>
    public static bool IsFree(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
