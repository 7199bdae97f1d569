using System.Text.RegularExpressions;

namespace Millrace.Tests.Server.Monitoring.Queries;

/// <summary>Follows labels through a query: each has to be there where it is used, down to the series of the metrics that brokers expose.</summary>
internal sealed partial class QueryLabels(ExposedMetrics metrics)
{
    private const string Bucket = "le";

    // Whatever the variable is, the values come from the metrics themselves.
    private const char Variable = '$';

    /// <returns>The labels of what the query gives.</returns>
    /// <exception cref="InvalidDataException">A metric, a label or a value in it does not exist.</exception>
    public IReadOnlySet<string> Of(PromQuery query) => query switch
    {
        PromQuery.Number => new HashSet<string>(),
        PromQuery.Series { IsRange: false } series => OfSeries(series),
        PromQuery.Call { Function: "histogram_quantile", Arguments: [PromQuery.Number, var operand] } => OfQuantile(Of(operand)),
        PromQuery.Call { Arguments: [PromQuery.Series { IsRange: true } series] } => OfSeries(series),
        PromQuery.Aggregation { Operator: "topk" or "bottomk", Labels: null } selection => Of(selection.Operand),
        PromQuery.Aggregation aggregation => OfAggregation(aggregation.Labels ?? new LabelChoice(Includes: true, []), Of(aggregation.Operand)),
        PromQuery.Operation { Left: PromQuery.Number } operation => Of(operation.Right),
        PromQuery.Operation { Right: PromQuery.Number } operation => Of(operation.Left),
        PromQuery.Operation operation => OfOperation(operation, Of(operation.Left), Of(operation.Right)),
        _ => throw new InvalidDataException($"{query} has no meaning here"),
    };

    private IReadOnlySet<string> OfSeries(PromQuery.Series series)
    {
        var labels = metrics.LabelsOf(series.Metric) ?? throw new InvalidDataException($"No metric {series.Metric}");
        Require(labels, series.Matchers.Select(matcher => matcher.Label), series.Metric);
        foreach (var matcher in series.Matchers.Where(matcher => !matcher.Value.Contains(Variable)))
        {
            var values = matcher.Operator is "=" or "!=" ? [matcher.Value]
                : Alternatives().IsMatch(matcher.Value) ? matcher.Value.Split('|')
                : throw new InvalidDataException($"{matcher} is no list of values");
            if (values.FirstOrDefault(value => !metrics.MayHave(series.Metric, matcher.Label, value)) is { } unknown)
            {
                throw new InvalidDataException($"No {series.Metric} has {matcher.Label}=\"{unknown}\"");
            }
        }

        return labels;
    }

    private static HashSet<string> OfQuantile(IReadOnlySet<string> operand)
    {
        Require(operand, [Bucket], "a quantile");
        return [.. operand.Where(label => label != Bucket)];
    }

    private static HashSet<string> OfAggregation(LabelChoice choice, IReadOnlySet<string> operand)
    {
        Require(operand, choice.Labels, "what is aggregated");
        return [.. choice.Includes ? choice.Labels : operand.Except(choice.Labels)];
    }

    private static IReadOnlySet<string> OfOperation(PromQuery.Operation operation, IReadOnlySet<string> left, IReadOnlySet<string> right)
    {
        if (operation.Matching is { } matching)
        {
            Require(left, matching.Labels, $"the left of {operation.Operator}");
            Require(right, matching.Labels, $"the right of {operation.Operator}");
        }
        else if (operation.Operator != "or" && !left.SetEquals(right))
        {
            // No series would find its partner.
            throw new InvalidDataException($"{operation.Operator} of ({string.Join(", ", left)}) and ({string.Join(", ", right)})");
        }

        if (operation.TakenAlong is { } taken)
        {
            Require(right, taken, $"the right of {operation.Operator}");
            return left.Union(taken).ToHashSet();
        }

        return operation.Operator switch
        {
            "and" or "unless" => left,
            "or" => left.Union(right).ToHashSet(),
            _ => operation.Matching is null ? left
                : operation.Matching.Includes ? operation.Matching.Labels.ToHashSet()
                : left.Except(operation.Matching.Labels).ToHashSet(),
        };
    }

    private static void Require(IReadOnlySet<string> labels, IEnumerable<string> used, string where)
    {
        if (used.FirstOrDefault(label => !labels.Contains(label)) is { } missing)
        {
            throw new InvalidDataException($"No label {missing} in {where}, which has {string.Join(", ", labels)}");
        }
    }

    [GeneratedRegex(@"^\w+(\|\w+)*$")]
    private static partial Regex Alternatives();
}
