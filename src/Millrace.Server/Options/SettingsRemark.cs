namespace Millrace.Server.Options;

/// <summary>What the log says about a configuration when a node starts: how other systems' settings were understood, or that they change nothing.</summary>
/// <param name="Level">Information for what was understood, warning for what does not do what its name says.</param>
/// <param name="Text">Sentences, without secrets.</param>
internal readonly record struct SettingsRemark(LogLevel Level, string Text);
