namespace Millrace.Server.Logging;

/// <summary>How log lines look.</summary>
internal enum LogFormat
{
    /// <summary>For people: time, level, area, message.</summary>
    Text,

    /// <summary>For machines: one JSON object a line, with the message's values as fields.</summary>
    Json,
}
