using System.Security.Cryptography;

namespace Millrace.Runtime;

/// <summary>Randomness in production: the system's own generator for bytes and ids, a fast one for drawing lots.</summary>
public sealed class SystemRandom : NodeRandom
{
#pragma warning disable RS0030 // This is the place where ambient randomness enters.
#pragma warning disable CA5394 // Back-off and sampling need no secrecy; ids come from NextBytes.
    public override long NextInt64(long exclusiveMax) => Random.Shared.NextInt64(exclusiveMax);

    public override double NextDouble() => Random.Shared.NextDouble();

    public override void NextBytes(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
#pragma warning restore
}
