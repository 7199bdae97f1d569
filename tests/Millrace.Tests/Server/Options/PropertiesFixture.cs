using Millrace.Server.Options;

namespace Millrace.Tests.Server.Options;

/// <summary>A configuration as people bring it along.</summary>
internal static class PropertiesFixture
{
    public static string Path(string name) =>
        System.IO.Path.Combine(Repository.Root, "tests", "Millrace.Tests", "Server", "Options", "Fixtures", name + ".properties");

    /// <summary>Read as a start does, with entries behind it as a command line has them.</summary>
    public static NodeSettings Read(string name, params (string Key, string Value)[] more) =>
        NodeSettings.From([.. PropertiesFile.Parse(File.ReadAllText(Path(name))), .. more.Select(entry => KeyValuePair.Create(entry.Key, entry.Value))]);
}
