using Millrace.Runtime.Buffers;

namespace Millrace.Network.Serving;

/// <summary>One request's bytes, whole, without the size in front.</summary>
/// <param name="Buffer">Held once by the frame's taker.</param>
/// <param name="Budget">The whole server's, of this kind of request.</param>
/// <param name="Lease">What it took of that.</param>
internal readonly record struct RequestFrame(PooledBuffer Buffer, RequestBudget Budget, BudgetLease Lease);
