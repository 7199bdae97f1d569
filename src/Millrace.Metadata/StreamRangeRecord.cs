namespace Millrace.Metadata;

/// <content>A range by itself. The rest of where it lies is in the object's own record.</content>
public sealed partial class StreamRangeRecord : IRangeFields;
