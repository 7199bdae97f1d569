using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Membership;

/// <summary>The node that clients are told to be the controller. They send it admin requests: every broker takes those, so any live one will do.</summary>
internal static class SeenController
{
    public static NodeId Of(MetadataImage image, NodeId self) => image.Controller is { } controller && image.IsLive(controller) ? controller : self;
}
