using Mono.Cecil;
using Xunit;

namespace Millrace.Tests.Architecture;

/// <summary>
/// Folders that lie side by side use each other one way only, so that each can be read behind those that it uses. What lies in the folder above belongs
/// to all of them: the contract that they share, and what puts them together.
/// </summary>
public sealed class FolderCycleTests
{
    [Fact]
    public void No_two_folders_side_by_side_use_each_other()
    {
        Assert.NotEmpty(ProductAssemblies.Modules);
        var cycles = ProductAssemblies.Modules.SelectMany(CyclesOf).ToList();
        Assert.True(cycles.Count == 0, string.Join(Environment.NewLine, cycles));
    }

    private static List<string> CyclesOf(ModuleDefinition module)
    {
        var uses = ProductAssemblies.Types(module)
            .SelectMany(type => ProductAssemblies.Named(type)
                .Select(named => named as TypeReference ?? named.DeclaringType)
                .Select(used => used.Module == module ? used.Resolve() : null)
                .OfType<TypeDefinition>()
                .Select(used => (User: ProductAssemblies.Outermost(type), Used: ProductAssemblies.Outermost(used))))
            .Where(use => use.User.Namespace.Length > 0 && use.Used.Namespace.Length > 0)
            .Distinct()
            .Select(use => (use.User, use.Used, Edge: Siblings(use.User.Namespace, use.Used.Namespace)))
            .Where(use => use.Edge is not null)
            .ToLookup(use => use.Edge!.Value, use => $"{use.User.Name} uses {use.Used.Name}");
        var edges = uses.Select(use => use.Key).ToHashSet();
        return [.. edges.Where(edge => Reaches(edges, edge.To, edge.From)).Order()
            .Select(edge => $"{edge.From} -> {edge.To} ({string.Join(", ", uses[edge].Order().Take(5))})")];
    }

    /// <summary>The two different folders below their last common one; null if one lies in the other.</summary>
    private static (string From, string To)? Siblings(string user, string used)
    {
        var (one, other) = (user.Split('.'), used.Split('.'));
        var common = one.Zip(other).TakeWhile(pair => pair.First == pair.Second).Count();
        return common == one.Length || common == other.Length
            ? null
            : (string.Join('.', one.Take(common + 1)), string.Join('.', other.Take(common + 1)));
    }

    private static bool Reaches(HashSet<(string From, string To)> edges, string from, string to)
    {
        var seen = new HashSet<string> { from };
        var next = new Stack<string>(seen);
        while (next.TryPop(out var folder))
        {
            if (folder == to)
            {
                return true;
            }

            foreach (var edge in edges.Where(edge => edge.From == folder && seen.Add(edge.To)))
            {
                next.Push(edge.To);
            }
        }

        return false;
    }
}
