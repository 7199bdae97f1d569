namespace Millrace.Server.Options;

/// <summary>The configuration is wrong. The message says where and what to write instead, and holds no secret.</summary>
internal sealed class SettingsException(string message, Exception? inner = null) : Exception(message, inner);
