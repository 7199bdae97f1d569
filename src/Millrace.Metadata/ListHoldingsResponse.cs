namespace Millrace.Metadata;

/// <content>Ranges as everywhere.</content>
public sealed partial class ListHoldingsResponse
{
    public sealed partial class Range : IRangeFields;
}
