using System.Text;
using Millrace.Controller.Log;
using Xunit;

namespace Millrace.Tests.Controller.Log;

public sealed class BucketFormatTests
{
    [Fact]
    public void A_mark_keeps_its_bytes_for_every_version_there_will_be()
    {
        var mark = new BucketFormat(1, "Millrace 0.1.0 (commit 3f2a1c9e0b77)");
        var bytes = mark.Write();
        Assert.Equal("""{"product":"millrace","format":1,"writtenBy":"Millrace 0.1.0 (commit 3f2a1c9e0b77)"}""", Encoding.UTF8.GetString(bytes));
        Assert.Equal(mark, BucketFormat.Read(bytes));
    }

    [Fact]
    public void Fields_of_a_later_version_and_the_form_that_a_person_gives_it_do_not_matter()
    {
        var edited = """
            { "format": 2, "cluster": {"id": "x"},
              "writtenBy": "Millrace 2.0", "product": "millrace" }
            """u8;
        Assert.Equal(new BucketFormat(2, "Millrace 2.0"), BucketFormat.Read(edited.ToArray()));
    }
}
