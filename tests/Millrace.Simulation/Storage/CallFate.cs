namespace Millrace.Simulation.Storage;

/// <summary>What becomes of one call to the object store.</summary>
internal enum CallFate
{
    Done,
    Refused,
    RequestLost,
    AnswerLost,
    Late,
}
