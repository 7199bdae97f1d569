using System.Buffers.Binary;
using System.Numerics;
using Millrace.Runtime;

namespace Millrace.Simulation.Kernel;

/// <summary>
/// A generator whose sequence depends on its seed alone, on every platform and runtime version (xoshiro256**, seeded
/// through splitmix64). One thread.
/// </summary>
public sealed class SeededRandom : NodeRandom
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    public SeededRandom(ulong seed)
    {
        _a = Split(ref seed);
        _b = Split(ref seed);
        _c = Split(ref seed);
        _d = Split(ref seed);
    }

    public ulong NextUInt64()
    {
        var result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        var shifted = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= shifted;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    public override long NextInt64(long exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMax);
        return (long)Math.BigMul(NextUInt64(), (ulong)exclusiveMax, out _);
    }

    public override double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    public override void NextBytes(Span<byte> destination)
    {
        Span<byte> word = stackalloc byte[sizeof(ulong)];
        while (!destination.IsEmpty)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(word, NextUInt64());
            var count = Math.Min(word.Length, destination.Length);
            word[..count].CopyTo(destination);
            destination = destination[count..];
        }
    }

    public int Next(int exclusiveMax) => (int)NextInt64(exclusiveMax);

    /// <summary>A number in [<paramref name="min"/>, <paramref name="exclusiveMax"/>).</summary>
    public int Next(int min, int exclusiveMax) => min + Next(exclusiveMax - min);

    public bool Chance(double probability) => NextDouble() < probability;

    public TimeSpan Between(TimeSpan min, TimeSpan max) => min + TimeSpan.FromTicks(NextInt64((max - min).Ticks + 1));

    /// <summary>Mostly near <paramref name="typical"/>, now and then many times as long: how disks and networks answer.</summary>
    public TimeSpan Latency(TimeSpan typical)
    {
        var stretch = Next(100) switch
        {
            < 90 => 0.5 + NextDouble(),
            < 99 => 1.5 + 5 * NextDouble(),
            _ => 5 + 45 * NextDouble(),
        };
        return typical * stretch;
    }

    public T Pick<T>(IReadOnlyList<T> choices) => choices[Next(choices.Count)];

    private static ulong Split(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
