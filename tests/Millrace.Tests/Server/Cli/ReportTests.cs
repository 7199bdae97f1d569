using Millrace.Server.Cli;
using Xunit;

namespace Millrace.Tests.Server.Cli;

public sealed class ReportTests
{
    [Fact]
    public void A_table_has_a_line_a_row_however_long_its_values_are()
    {
        var name = new string('x', 100);

        var table = new Report("Topic", "In sync").Add("t", "0,1").Add(name, null).ToTable();

        Assert.Equal([$"{"TOPIC",-100}  IN SYNC", $"{"t",-100}  0,1", $"{name}  -"], table);
    }
}
