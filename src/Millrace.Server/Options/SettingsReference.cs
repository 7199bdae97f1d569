using System.Text;
using Millrace.Metadata.Configs;

namespace Millrace.Server.Options;

/// <summary>The page of all settings, <c>docs/settings.md</c>, out of the tables that the program itself reads them by.</summary>
internal static class SettingsReference
{
    private const string AboutThePage =
        "Made by `millrace config reference --markdown`; a test compares the two. Settings stand in a file (`millrace start --config FILE`, in " +
        "the form of Kafka's `server.properties`) or on the command line (`--set KEY=VALUE`), which counts before the file. An unknown name is " +
        "refused, with the nearest known one. A default of – follows from other settings, or means that there is none. Credentials are never " +
        "settings: those of the store come from where the AWS tools look for them.";

    private const string AboutBrokers =
        "Names that begin with `millrace.` are our own; the others are Kafka's, and mean what they mean there. What is marked with * may be " +
        "changed while the broker runs, for all brokers or for one.";

    private const string AboutRefused =
        "Somebody would rely on what is not there. An empty value, and those in the second column, ask for nothing and are accepted. A name " +
        "that ends in a dot stands for all that begin with it; so it does with a listener's name before it (`listener.name.NAME.…`).";

    /// <summary>What a node can be started with and that does something: ours first, then Kafka's.</summary>
    public static IEnumerable<ConfigDefinition> OfBrokers =>
        ServerSettings.Own.Concat(BrokerConfigs.All)
            .Where(config => !BrokerDuties.ConfigNames.Contains(config.Name) && !ScalerMemory.ConfigNames.Contains(config.Name))
            .OrderBy(setting => !IsOwn(setting))
            .ThenBy(setting => setting.Name, StringComparer.Ordinal);

    public static bool IsOwn(ConfigDefinition setting) => setting.Name.StartsWith("millrace.", StringComparison.Ordinal);

    public static string ToMarkdown()
    {
        var page = new StringBuilder(
            $"""
            # Settings

            {AboutThePage}

            ## Of a broker

            {AboutBrokers}


            """);
        Table(page, OfBrokers, setting => BrokerConfigs.Find(setting.Name) is { IsDynamic: true });
        page.Append(
            """

            ## Of one broker, kept by the cluster

            No node is started with these: `millrace broker drain` and `cordon` set them, or anything that alters the configs of one broker.


            """);
        Table(page, BrokerConfigs.All.Where(config => BrokerDuties.ConfigNames.Contains(config.Name)), _ => false);
        page.Append(
            """

            ## Of all brokers, kept by the cluster

            No node is started with these: the scaler sets them.


            """);
        Table(page, BrokerConfigs.All.Where(config => ScalerMemory.ConfigNames.Contains(config.Name)), _ => false);
        page.Append(
            """

            ## Of a topic

            Kafka's names, and `millrace.…` of our own, which inherits nothing. A topic that has no value of its own has the
            brokers': in the last column the names, of which the first counts that is set.


            """);
        TopicTable(page);
        page.Append(
            """

            ## Understood from others

            These count where the setting of ours is not set. The log says how they were understood.

            | setting | of | stands for |
            |---|---|---|

            """);
        LogFolders.Keys.ToList().ForEach(key => Row(page, $"`{key}`", "Kafka", $"`{ServerSettings.DataDirectory}`; the first folder, of several"));
        foreach (var (from, to) in AutoMqSettings.Meanings)
        {
            Row(page, $"`{from}`", "AutoMQ", $"`{to}`");
        }

        page.Append(
            $"""

            ## Refused

            {AboutRefused}

            | setting | accepted | what to do instead |
            |---|---|---|

            """);
        foreach (var refused in RefusedSettings.All)
        {
            Row(page, $"`{refused.Key}`", string.Join(", ", refused.Harmless.Select(value => $"`{value}`")), refused.Advice);
        }

        page.Append(
            """

            ## Accepted without effect

            A start names those that are set in one warning. A name that ends in a dot stands for all that begin with it.

            | settings | why |
            |---|---|

            """);
        foreach (var group in HarmlessSettings.Groups.Append(AutoMqSettings.Harmless))
        {
            Row(page, string.Join(", ", group.Keys.Select(key => $"`{key}`")), group.Why);
        }

        return page.ToString();
    }

    private static void Table(StringBuilder page, IEnumerable<ConfigDefinition> settings, Func<ConfigDefinition, bool> isMarked)
    {
        page.Append("| name | type | default | unit | whose | what it does |\n|---|---|---|---|---|---|\n");
        foreach (var setting in settings)
        {
            Row(
                page, $"`{setting.Name}`{(isMarked(setting) ? " *" : "")}", Type(setting), Default(setting), SettingUnit.Of(setting) ?? "",
                IsOwn(setting) ? "Millrace" : "Kafka", setting.Documentation);
        }
    }

    private static void TopicTable(StringBuilder page)
    {
        page.Append("| name | type | default | unit | what it does | of the brokers |\n|---|---|---|---|---|---|\n");
        foreach (var setting in TopicConfigs.All)
        {
            Row(
                page, $"`{setting.Name}`", Type(setting), Default(setting), SettingUnit.Of(setting) ?? "", setting.Documentation,
                string.Join(", ", setting.Synonyms.Select(synonym => $"`{synonym.Name}`")));
        }
    }

    private static string Type(ConfigDefinition setting) => setting.Type.ToString().ToLowerInvariant();

    private static string Default(ConfigDefinition setting) => setting.Default switch
    {
        null => "–",
        "" => "empty",
        var value => $"`{value}`",
    };

    private static void Row(StringBuilder page, params string[] cells) =>
        page.Append("| ").AppendJoin(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))).Append(" |\n");
}
