using Millrace.Runtime.Ids;
using Millrace.Streams.Upload;
using Xunit;

namespace Millrace.Tests.Streams.Upload;

/// <summary>Ids for objects that were handed out ahead.</summary>
public sealed class PreparedIdsTests
{
    private readonly ManualTime _time = new();
    private readonly PreparedIds _ids;

    public PreparedIdsTests() => _ids = new PreparedIds(_time);

    [Fact]
    public void They_are_taken_in_their_order_each_once()
    {
        _ids.Add(new ObjectId(1));
        _ids.Add(new ObjectId(2));

        Assert.Equal([new ObjectId(1), new ObjectId(2), null], [_ids.Take(), _ids.Take(), _ids.Take()]);
        Assert.True(_ids.IsEmpty);
    }

    [Fact]
    public void One_that_its_controller_may_have_given_up_is_passed_over()
    {
        _ids.Add(new ObjectId(1));
        _time.Advance(TimeSpan.FromMinutes(29));
        _ids.Add(new ObjectId(2));
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(new ObjectId(2), _ids.Take());
        _ids.Add(new ObjectId(3));
        _time.Advance(TimeSpan.FromMinutes(30));
        Assert.Null(_ids.Take());
        Assert.True(_ids.IsEmpty);
    }

    [Fact]
    public void No_more_are_kept_than_uploads_may_need()
    {
        for (var i = 1; i <= 20; i++)
        {
            _ids.Add(new ObjectId(i));
        }

        var taken = 0;
        while (_ids.Take() is not null)
        {
            taken++;
        }

        Assert.Equal(16, taken);
    }
}
