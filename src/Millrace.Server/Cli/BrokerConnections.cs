using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Network.Links;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;
using Millrace.Server.Transport;

namespace Millrace.Server.Cli;

/// <summary>How commands reach brokers by themselves, to ask what the client library does not. No simulator runs them.</summary>
internal static class BrokerConnections
{
    private const int IdleBytes = 1 << 20;

    private static readonly NodeRuntime Runtime = new(
        CommandClock.Time, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);

    private static readonly SocketTransport Transport = new(Runtime, new BufferPool(IdleBytes));

    /// <exception cref="SocketException">Nobody can be reached there.</exception>
    public static async ValueTask<PeerConnection> OpenAsync(string host, int port, string clientId, CancellationToken token) =>
        new(Runtime, await Transport.ConnectAsync(new DnsEndPoint(host, port), token), clientId);
}
