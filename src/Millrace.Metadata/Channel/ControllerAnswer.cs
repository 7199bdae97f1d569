using Millrace.Metadata.Image;

namespace Millrace.Metadata.Channel;

/// <summary>What a controller says to a request.</summary>
/// <param name="Version">The version of the committed image that it rests on.</param>
/// <param name="Error">Not None where the request was refused as a whole.</param>
/// <param name="Message">Why, for people.</param>
/// <param name="Response">Null where it was refused.</param>
public readonly record struct ControllerAnswer<TResponse>(MetadataVersion Version, ControllerError Error, string? Message, TResponse? Response)
    where TResponse : class;
