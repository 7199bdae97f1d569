namespace Millrace.Tests.Clients;

/// <summary>A broker in a process of its own.</summary>
internal interface IBroker : IAsyncDisposable
{
    string BootstrapServers { get; }
}
