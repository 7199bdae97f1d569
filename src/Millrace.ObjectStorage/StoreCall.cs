namespace Millrace.ObjectStorage;

/// <summary>A call to a store that is under way.</summary>
/// <param name="Operation">As in the metrics, e.g. <c>create</c>.</param>
/// <param name="Key">The key, or the prefix of a list.</param>
/// <param name="Bytes">Of its body, whichever way it goes, as far as that is known.</param>
/// <param name="Begun">A timestamp of the node's clock.</param>
internal sealed record StoreCall(string Operation, string Key, long Bytes, long Begun);
