using Millrace.Streams.Upload;
using Xunit;

namespace Millrace.Tests.Streams.Upload;

public sealed class UploadAllowanceTests
{
    [Fact]
    public void The_first_record_fits_however_large_and_nothing_after_one_that_did_not()
    {
        var allowance = new UploadAllowance(bytes: 100, records: 10, closes: 0);
        Assert.True(allowance.TryTake(1_000));
        Assert.False(allowance.IsExhausted);
        Assert.False(allowance.TryTake(1));
        Assert.True(allowance.IsExhausted);
    }

    [Fact]
    public void Neither_more_bytes_nor_more_records_fit_than_it_has()
    {
        var (bytes, records) = (new UploadAllowance(bytes: 100, records: 10, closes: 0), new UploadAllowance(bytes: 100, records: 2, closes: 0));
        Assert.True(bytes.TryTake(60) && bytes.TryTake(40));
        Assert.False(bytes.TryTake(1));
        Assert.False(bytes.TryTake(0));
        Assert.True(records.TryTake(1) && records.TryTake(1));
        Assert.False(records.TryTake(1));
    }

    [Fact]
    public void So_many_streams_are_closed_with_it_and_no_more()
    {
        var allowance = new UploadAllowance(bytes: 100, records: 10, closes: 2);
        Assert.True(allowance.TryTakeClose());
        Assert.True(allowance.TryTakeClose());
        Assert.False(allowance.TryTakeClose());
        Assert.False(allowance.TryTakeClose());
        Assert.False(allowance.IsExhausted);
    }
}
