using Millrace.Protocol;
using Xunit;

namespace Millrace.Tests.Protocol;

public sealed class ApiMessagesTests
{
    [Fact]
    public void Every_api_is_found_by_its_key()
    {
        Assert.Equal(89, ApiMessages.All.Count);
        Assert.All(ApiMessages.All, api => Assert.Same(api, ApiMessages.Find(api.Key)));
        Assert.Null(ApiMessages.Find((ApiKey)4));
        Assert.Null(ApiMessages.Find((ApiKey)(-1)));
        Assert.Null(ApiMessages.Find((ApiKey)short.MaxValue));
    }

    [Fact]
    public void ApiVersions_is_always_answered_behind_the_oldest_header()
    {
        var api = ApiMessages.Find(ApiKey.ApiVersions)!;
        Assert.Equal(2, api.RequestHeaderVersion(4));
        Assert.Equal(0, api.ResponseHeaderVersion(4));
        Assert.Equal(1, ApiMessages.Find(ApiKey.Metadata)!.ResponseHeaderVersion(9));
        Assert.Equal(0, ApiMessages.Find(ApiKey.Metadata)!.ResponseHeaderVersion(8));
    }
}
