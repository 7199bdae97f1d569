using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Millrace.Protocol.Primitives;

/// <summary>
/// Bytes from a peer that are no message, or a message that a version cannot carry. The only exception that reading
/// throws, whatever the bytes; the connection or log it came from is at fault, not this process.
/// </summary>
public sealed class ProtocolException : Exception
{
    public ProtocolException(string message)
        : base(message)
    {
    }

    public ProtocolException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Refuses a version that the message's schema does not have.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ThrowUnlessSupported(VersionRange versions, short version, string message)
    {
        if (!versions.Contains(version))
        {
            ThrowUnsupported(versions, version, message);
        }
    }

    /// <summary>Refuses to write a value into a version that would silently lose it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ThrowUnlessDefault(bool isDefault, string field, short version)
    {
        if (!isDefault)
        {
            ThrowNotDefault(field, version);
        }
    }

    [DoesNotReturn]
    internal static void Throw(string message) => throw new ProtocolException(message);

    [DoesNotReturn]
    private static void ThrowUnsupported(VersionRange versions, short version, string message) =>
        throw new ProtocolException($"{message} has no version {version}, only {versions}");

    [DoesNotReturn]
    private static void ThrowNotDefault(string field, short version) =>
        throw new ProtocolException($"{field} has a value, and version {version} cannot carry it");
}
