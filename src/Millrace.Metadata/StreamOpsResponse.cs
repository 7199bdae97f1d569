using Millrace.Metadata.Channel;

namespace Millrace.Metadata;

/// <content>What the results have in common, and ranges.</content>
public sealed partial class StreamOpsResponse
{
    public sealed partial class CreateResult : IOperationResult;

    public sealed partial class OpenResult : IOperationResult;

    public sealed partial class PrepareResult : IOperationResult;

    public sealed partial class CommitResult : IOperationResult;

    public sealed partial class RangePage : IOperationResult;

    public sealed partial class Done : IOperationResult;

    public sealed partial class Range : IRangeFields;
}
