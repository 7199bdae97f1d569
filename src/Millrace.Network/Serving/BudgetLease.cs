namespace Millrace.Network.Serving;

/// <summary>Room taken in a <see cref="RequestBudget"/>, to be released once.</summary>
/// <param name="Bytes">How much.</param>
/// <param name="Overdraft">Whether it is the one that overdrew the budget.</param>
internal readonly record struct BudgetLease(long Bytes, bool Overdraft);
