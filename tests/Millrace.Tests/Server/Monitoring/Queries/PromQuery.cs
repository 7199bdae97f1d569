namespace Millrace.Tests.Server.Monitoring.Queries;

/// <summary>A query of Prometheus', or a part of one: as much of its language as the dashboard and the alerts use.</summary>
internal abstract record PromQuery
{
    /// <exception cref="FormatException">It has something that is not understood here.</exception>
    public static PromQuery Parse(string text) => new QueryParser(text).Parse();

    /// <summary>Series of one metric, now or over a range of time.</summary>
    public sealed record Series(string Metric, IReadOnlyList<LabelMatcher> Matchers, bool IsRange) : PromQuery;

    /// <summary>A number.</summary>
    public sealed record Number : PromQuery;

    /// <summary>What a function makes of its arguments.</summary>
    public sealed record Call(string Function, IReadOnlyList<PromQuery> Arguments) : PromQuery;

    /// <summary>Many series made one for each combination of labels; <c>topk</c> and its like keep some of them as they are.</summary>
    public sealed record Aggregation(string Operator, LabelChoice? Labels, PromQuery Operand) : PromQuery;

    /// <summary>Two sides, brought together series by series.</summary>
    /// <param name="Operator">What is done with each pair.</param>
    /// <param name="Left">One side.</param>
    /// <param name="Right">The other.</param>
    /// <param name="Matching">By which labels a series finds its partner; by all if nothing is said.</param>
    /// <param name="TakenAlong">Labels of the other side for the many of this one; null where it is one to one.</param>
    public sealed record Operation(string Operator, PromQuery Left, PromQuery Right, LabelChoice? Matching, IReadOnlyList<string>? TakenAlong) : PromQuery;
}
