namespace Millrace.Metadata;

/// <content>The ranges that count. The object around them says where they lie.</content>
public sealed partial class UploadCommittedRecord
{
    public sealed partial class CommittedRange : IRangeFields;
}
