using Millrace.Runtime;

namespace Millrace.Broker.Network;

/// <summary>One request's bytes, whole, without the size in front.</summary>
/// <param name="Buffer">Held once by the frame's taker.</param>
/// <param name="Lease">What it took of the whole server's budget.</param>
internal readonly record struct RequestFrame(PooledBuffer Buffer, BudgetLease Lease);
