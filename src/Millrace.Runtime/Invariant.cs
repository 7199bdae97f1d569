using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Millrace.Runtime;

/// <summary>Checks that hold unless the code itself is wrong. They run in production, and a broken one stops the node.</summary>
public static class Invariant
{
    public static void Check([DoesNotReturnIf(false)] bool holds, [CallerArgumentExpression(nameof(holds))] string? statement = null)
    {
        if (!holds)
        {
            throw new InvariantViolationException($"Broken invariant: {statement}");
        }
    }
}
