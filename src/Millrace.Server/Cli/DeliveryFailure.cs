using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>A record that was not acknowledged.</summary>
/// <param name="Line">Where it stands in the input, counted from 1.</param>
/// <param name="Error">Why.</param>
internal sealed record DeliveryFailure(long Line, Error Error);
