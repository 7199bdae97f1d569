using Millrace.Server;
using Millrace.Server.Composition;
using Xunit;

namespace Millrace.Tests.Server.Composition;

public sealed class OpenSslLibraryTests
{
    [Fact]
    public void Without_libssl_a_start_is_refused_with_what_to_install()
    {
        var asked = new List<string>();
        var refusal = Assert.Throws<NodeStartException>(() => OpenSslLibrary.Check("4", name =>
        {
            asked.Add(name);
            return false;
        }));

        Assert.Contains("libssl3", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["libssl.so.4", "libssl.so.3"], asked.Take(2));
    }

    [Fact]
    public void The_one_that_these_tests_run_with_is_found() => OpenSslLibrary.Check();
}
