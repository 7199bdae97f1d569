using System.Runtime.InteropServices;

namespace Millrace.Server.Composition;

/// <summary>
/// OpenSSL's libssl, which .NET takes random numbers, digests and TLS from. It is loaded when it is first needed, and a process that finds
/// none is aborted then, with a core dump and six words: so it is looked for before.
/// </summary>
internal static class OpenSslLibrary
{
    /// <summary>The names that .NET looks for, in its order.</summary>
    private static readonly string[] Names = ["libssl.so.3", "libssl.so.1.1", "libssl.so.1.0.2", "libssl.so.1.0.0", "libssl.so.10"];

    /// <param name="chosen">The version that DOTNET_OPENSSL_VERSION_OVERRIDE names, which .NET tries first; null for none.</param>
    /// <param name="load">Whether a library can be loaded by its name.</param>
    /// <exception cref="NodeStartException">There is none. The message says what to install.</exception>
    public static void Check(string? chosen, Func<string, bool> load)
    {
        if (!Names.Prepend(chosen is null ? "" : $"libssl.so.{chosen}").Any(name => name.Length > 0 && load(name)))
        {
            throw new NodeStartException(
                "OpenSSL's libssl is missing, which .NET needs for random numbers and TLS. " +
                "Install it: libssl3 on Debian, Ubuntu and Alpine, openssl-libs on Fedora and Red Hat.");
        }
    }

    /// <inheritdoc cref="Check(string?, Func{string, bool})"/>
    public static void Check() =>
        // What is loaded stays: it is the same that .NET loads next.
        Check(Environment.GetEnvironmentVariable("DOTNET_OPENSSL_VERSION_OVERRIDE"), name => NativeLibrary.TryLoad(name, out _));
}
