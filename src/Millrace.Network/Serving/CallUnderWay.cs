using Millrace.Network.Requests;

namespace Millrace.Network.Serving;

/// <summary>A call of a connection, with what its bytes took, from its beginning until its answer is written or given up.</summary>
/// <param name="Call">The call.</param>
/// <param name="Frame">Its bytes, and what they took of the server's budget.</param>
/// <param name="OwnLease">What they took of the connection's.</param>
/// <param name="ArrivedAt">A timestamp of the runtime's time.</param>
internal readonly record struct CallUnderWay(RequestCall Call, RequestFrame Frame, BudgetLease OwnLease, long ArrivedAt);
