using System.Globalization;

namespace Millrace.Metadata.Configs;

/// <summary>A config that the product knows: its name, what it may be, and what it is if nobody sets it.</summary>
public sealed class ConfigDefinition
{
    private readonly Func<string, string?> _check;

    private ConfigDefinition(string name, ConfigType type, string? defaultValue, Func<string, string?> check, string documentation)
    {
        Name = name;
        Type = type;
        Default = defaultValue;
        Documentation = documentation;
        _check = check;
    }

    public string Name { get; }

    public ConfigType Type { get; }

    public string? Default { get; }

    public string Documentation { get; }

    /// <summary>The broker configs that a topic config inherits from, the strongest first.</summary>
    public IReadOnlyList<ConfigSynonym> Synonyms { get; private init; } = [];

    /// <summary>It may be set while the brokers run.</summary>
    public bool IsDynamic { get; private init; } = true;

    /// <summary>False for one that is taken and described, and changes nothing here. Its documentation begins with that, since clients read it there.</summary>
    public bool HasEffect => !Documentation.StartsWith("Has no effect", StringComparison.Ordinal);

    /// <summary>Never shown, never stored in the metadata.</summary>
    public bool IsSensitive => Type == ConfigType.Password;

    /// <summary>What is wrong with a value, in words for the person who set it, or null.</summary>
    public string? Check(string value)
    {
        var problem = _check(value.Trim());
        return problem is null ? null : $"Invalid value {value} for configuration {Name}: {problem}";
    }

    public ConfigDefinition InheritsFrom(params ReadOnlySpan<ConfigSynonym> synonyms) =>
        new(Name, Type, Default, _check, Documentation) { Synonyms = synonyms.ToArray(), IsDynamic = IsDynamic };

    /// <summary>With another rule, which sees (trimmed) what the others let pass.</summary>
    public ConfigDefinition AndAlso(Func<string, string?> check) =>
        new(Name, Type, Default, text => _check(text) ?? check(text), Documentation) { Synonyms = Synonyms, IsDynamic = IsDynamic };

    public ConfigDefinition Static() => new(Name, Type, Default, _check, Documentation) { Synonyms = Synonyms, IsDynamic = false };

    /// <summary>The broker config behind a topic config. In another unit it is a whole number that nobody has set.</summary>
    internal ConfigDefinition AsBrokerConfig(ConfigSynonym synonym) =>
        synonym.Factor == 1
            ? new(synonym.Name, Type, IsAlternative(synonym) ? null : Default, _check, Documentation)
            : Integer(synonym.Name, ConfigType.Int, DefaultIn(synonym), -1, int.MaxValue, Documentation).Static();

    private long? DefaultIn(ConfigSynonym synonym) =>
        IsAlternative(synonym) || Default is null ? null : long.Parse(Default, CultureInfo.InvariantCulture) / synonym.Factor;

    /// <summary>Of several names for one thing, the default stands behind the last (Kafka: log.retention.hours); the others are unset.</summary>
    private bool IsAlternative(ConfigSynonym synonym) => Synonyms.Count > 1 && Synonyms[^1] != synonym;

    public static ConfigDefinition Integer(
        string name, ConfigType type, long? defaultValue, long min, long max, string documentation) =>
        new(name, type, defaultValue?.ToString(CultureInfo.InvariantCulture), text => CheckInteger(text, min, max), documentation);

    public static ConfigDefinition Int(string name, int? defaultValue, int min, string documentation) =>
        Integer(name, ConfigType.Int, defaultValue, min, int.MaxValue, documentation);

    public static ConfigDefinition Long(string name, long? defaultValue, long min, string documentation) =>
        Integer(name, ConfigType.Long, defaultValue, min, long.MaxValue, documentation);

    public static ConfigDefinition Boolean(string name, bool defaultValue, string documentation) =>
        new(name, ConfigType.Boolean, defaultValue ? "true" : "false",
            static text => bool.TryParse(text, out _) ? null : "Expected value to be either true or false", documentation);

    public static ConfigDefinition Ratio(string name, double defaultValue, string documentation) =>
        new(name, ConfigType.Double, defaultValue.ToString(CultureInfo.InvariantCulture), CheckRatio, documentation);

    public static ConfigDefinition OneOf(string name, string defaultValue, string[] values, string documentation) =>
        new(name, ConfigType.String, defaultValue,
            text => values.Contains(text, StringComparer.Ordinal) ? null : $"String must be one of: {string.Join(", ", values)}", documentation);

    public static ConfigDefinition Text(string name, string? defaultValue, string documentation) =>
        new(name, ConfigType.String, defaultValue, static _ => null, documentation);

    public static ConfigDefinition List(string name, string defaultValue, Func<string, string?> checkItem, string documentation) =>
        new(name, ConfigType.List, defaultValue, text => CheckItems(text, checkItem), documentation);

    /// <summary>The items of a list's value. An empty text is an empty list.</summary>
    public static IEnumerable<string> ListItems(string value) =>
        value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    // As Kafka: "a," has a second item, which is empty, and empty text has none.
    private static string? CheckItems(string text, Func<string, string?> check) =>
        text.Length == 0 ? null : text.Split(',', StringSplitOptions.TrimEntries).Select(check).FirstOrDefault(problem => problem is not null);

    private static string? CheckInteger(string text, long min, long max)
    {
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return "Not a number of type LONG";
        }

        return number < min ? $"Value must be at least {min}" : number > max ? $"Value must be no more than {max}" : null;
    }

    private static string? CheckRatio(string text)
    {
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || double.IsNaN(number))
        {
            return "Not a number of type DOUBLE";
        }

        return number is < 0 ? "Value must be at least 0" : number > 1 ? "Value must be no more than 1" : null;
    }
}
