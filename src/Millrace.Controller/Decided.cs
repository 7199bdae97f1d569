using System.Runtime.ExceptionServices;
using Millrace.Metadata.Image;

namespace Millrace.Controller;

/// <summary>What became of a request that the loop has decided.</summary>
/// <param name="Version">The version of the committed image that this rests on.</param>
/// <param name="Result">Nothing, if it was refused.</param>
/// <param name="Refusal">Why it was refused, or null.</param>
internal readonly record struct Decided<T>(MetadataVersion Version, T? Result, Exception? Refusal)
{
    public T Accepted()
    {
        if (Refusal is not null)
        {
            ExceptionDispatchInfo.Throw(Refusal);
        }

        return Result!;
    }
}
