using Millrace.Runtime;
using Xunit;

namespace Millrace.Tests.Runtime;

public sealed class ProductVersionTests
{
    [Theory]
    [InlineData("3f2a1c9e0b7745d1", "Millrace 0.1.0 (commit 3f2a1c9e0b77)")]
    [InlineData("3f2a", "Millrace 0.1.0 (commit 3f2a)")]
    [InlineData(null, "Millrace 0.1.0")]
    public void The_commit_is_named_where_it_is_known(string? commit, string name) => Assert.Equal(name, ProductVersion.Name("0.1.0", commit));
}
