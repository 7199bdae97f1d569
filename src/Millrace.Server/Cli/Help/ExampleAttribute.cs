namespace Millrace.Server.Cli.Help;

/// <summary>A use of the command that bears it, shown by its <c>--help</c> in the order they stand.</summary>
/// <param name="line">As a shell takes it.</param>
/// <param name="meaning">What it does.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
internal sealed class ExampleAttribute(string line, string meaning) : Attribute
{
    public string Line => line;

    public string Meaning => meaning;
}
