using System.Text.RegularExpressions;

namespace Millrace.Tests.Server.Monitoring.Queries;

/// <summary>Reads a query. What it does not know it refuses, rather than passing over a metric in it.</summary>
internal sealed partial class QueryParser
{
    private static readonly string[][] OperatorsByRank =
        [["or"], ["and", "unless"], ["==", "!=", ">", "<", ">=", "<="], ["+", "-"], ["*", "/", "%"]];

    private static readonly string[] Comparisons = OperatorsByRank[2];

    private static readonly string[] Aggregations = ["sum", "min", "max", "avg", "count"];

    private static readonly string[] Selections = ["topk", "bottomk"];

    // Whoever adds one says in QueryLabels what labels it gives.
    private static readonly string[] Functions = ["rate", "increase", "resets", "histogram_quantile"];

    private readonly string _text;
    private readonly List<string> _tokens = [];
    private int _next;

    public QueryParser(string text)
    {
        _text = text;
        var position = 0;
        while (position < text.Length)
        {
            var token = Token().Match(text, position);
            if (!token.Success)
            {
                throw Refused(text[position..]);
            }

            position += token.Length;
            if (token.Groups[1].Success)
            {
                _tokens.Add(token.Groups[1].Value);
            }
        }
    }

    private string? Next => _next < _tokens.Count ? _tokens[_next] : null;

    public PromQuery Parse()
    {
        var query = Operation(rank: 0);
        return Next is null ? query : throw Refused(Next);
    }

    private PromQuery Operation(int rank)
    {
        if (rank == OperatorsByRank.Length)
        {
            return Operand();
        }

        var left = Operation(rank + 1);
        while (Next is { } found && OperatorsByRank[rank].Contains(found))
        {
            _next++;
            if (Comparisons.Contains(found))
            {
                Takes("bool");
            }

            var matching = Next is "on" or "ignoring" ? new LabelChoice(Take() == "on", Labels()) : null;
            var takenAlong = Takes("group_left") ? Labels() : null;
            left = new PromQuery.Operation(found, left, Operation(rank + 1), matching, takenAlong);
        }

        return left;
    }

    private PromQuery Operand()
    {
        var token = Take();
        if (token == "(")
        {
            var inner = Operation(rank: 0);
            Expect(")");
            return inner;
        }

        if (Number().IsMatch(token))
        {
            return new PromQuery.Number();
        }

        if (!Name().IsMatch(token))
        {
            throw Refused(token);
        }

        if (Aggregations.Contains(token) || Selections.Contains(token))
        {
            return Aggregation(token);
        }

        return Next != "(" ? Series(token)
            : Functions.Contains(token) ? new PromQuery.Call(token, Arguments())
            : throw Refused(token);
    }

    private PromQuery.Aggregation Aggregation(string found)
    {
        var labels = Next is "by" or "without" ? new LabelChoice(Take() == "by", Labels()) : null;
        var arguments = Arguments();
        var expected = Selections.Contains(found) ? 2 : 1;
        return arguments.Count == expected ? new PromQuery.Aggregation(found, labels, arguments[^1]) : throw Refused(found);
    }

    private PromQuery.Series Series(string metric)
    {
        var matchers = new List<LabelMatcher>();
        if (Takes("{"))
        {
            while (!Takes("}"))
            {
                var (label, how, value) = (Take(), Take(), Take());
                matchers.Add(Name().IsMatch(label) && how is "=" or "!=" or "=~" or "!~" && value[0] == '"'
                    ? new LabelMatcher(label, how, value[1..^1])
                    : throw Refused(label + how + value));
                if (Next != "}")
                {
                    Expect(",");
                }
            }
        }

        var isRange = Takes("[");
        if (isRange)
        {
            ExpectDuration();
            Expect("]");
        }

        if (Takes("offset"))
        {
            ExpectDuration();
        }

        return new PromQuery.Series(metric, matchers, isRange);
    }

    private List<PromQuery> Arguments()
    {
        var arguments = new List<PromQuery>();
        Expect("(");
        do
        {
            arguments.Add(Operation(rank: 0));
        }
        while (Takes(","));
        Expect(")");
        return arguments;
    }

    private List<string> Labels()
    {
        var labels = new List<string>();
        Expect("(");
        while (!Takes(")"))
        {
            labels.Add(Name().IsMatch(Next ?? "") ? Take() : throw Refused(Next ?? "its end"));
            if (Next != ")")
            {
                Expect(",");
            }
        }

        return labels;
    }

    private string Take() => Next is { } token ? _tokens[_next++] : throw Refused("its end");

    private bool Takes(string token)
    {
        var isNext = Next == token;
        _next += isNext ? 1 : 0;
        return isNext;
    }

    private void Expect(string token)
    {
        if (!Takes(token))
        {
            throw Refused($"{Next ?? "its end"} instead of {token}");
        }
    }

    private void ExpectDuration()
    {
        if (!Duration().IsMatch(Take()))
        {
            throw Refused(_tokens[_next - 1]);
        }
    }

    private FormatException Refused(string what) => new($"Not understood in \"{_text}\": {what}");

    // A duration comes before a number, which it begins with. No string has an escape.
    [GeneratedRegex("""\G(?:\s+|((?:\d+[smhdwy])+|\$\w+|\d+(?:\.\d+)?|[a-zA-Z_:][\w:]*|"[^"\\]*"|=~|!~|==|!=|>=|<=|[-+*/%<>=(){}\[\],]))""")]
    private static partial Regex Token();

    [GeneratedRegex(@"^(?:(?:\d+[smhdwy])+|\$__rate_interval)$")]
    private static partial Regex Duration();

    [GeneratedRegex(@"^\d+(?:\.\d+)?$")]
    private static partial Regex Number();

    [GeneratedRegex(@"^[a-zA-Z_:][\w:]*$")]
    private static partial Regex Name();
}
