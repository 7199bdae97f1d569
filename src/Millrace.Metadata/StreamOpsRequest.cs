namespace Millrace.Metadata;

/// <content>The ranges that are offered.</content>
public sealed partial class StreamOpsRequest
{
    public sealed partial class CommittedRange : IRangeFields;
}
