using System.Runtime.CompilerServices;
using Mono.Cecil;
using Xunit;

namespace Millrace.Tests.Architecture;

/// <summary>
/// What nobody calls is read, maintained and believed all the same. The compiler finds that among private members; here are those that only
/// the whole program shows. A member that tests alone use is used.
/// </summary>
public sealed class UnusedMemberTests
{
    [Fact]
    public void Every_member_of_the_product_is_used()
    {
        var used = ProductAssemblies.Modules.Concat(ProductAssemblies.Tests)
            .SelectMany(ProductAssemblies.Types)
            .SelectMany(type => type.Methods.Where(method => !IsOfRecord(method)).SelectMany(UsedBy))
            .ToHashSet();
        Assert.NotEmpty(used);

        var unused = ProductAssemblies.Modules.SelectMany(ProductAssemblies.Types).Where(IsOurs).SelectMany(Members)
            .Where(member => !member.Accessors.Any(accessor => used.Contains(Key(accessor))))
            .Select(member => member.Name)
            .Order(StringComparer.Ordinal)
            .ToList();
        Assert.True(unused.Count == 0, string.Join(Environment.NewLine, unused));
    }

    /// <summary>What a method uses of others, itself aside.</summary>
    private static IEnumerable<string> UsedBy(MethodDefinition method) =>
        ProductAssemblies.Named(method)
            .OfType<MethodReference>()
            .Where(named => named.DeclaringType.Scope.Name.StartsWith("Millrace", StringComparison.Ordinal) || named.Module == named.DeclaringType.Module)
            .Select(named => named.Resolve())
            .Where(named => named is not null && named != method)
            .Select(Key);

    private static IEnumerable<(string Name, MethodDefinition[] Accessors)> Members(TypeDefinition type) =>
        type.Methods
            .Where(method => !method.IsSpecialName && !IsOfContract(method) && !IsGenerated(method) && type.Module.EntryPoint != method)
            .Select(method => (method.FullName, new[] { method }))
            .Concat(type.Properties
                .Where(property => property.GetMethod is { } get && !IsOfContract(get) && !property.HasParameters && !IsPrinted(type))
                .Select(property => ($"{type.FullName}.{property.Name}", new[] { property.GetMethod })));

    /// <summary>The parts of a record make up its value and what it prints, whoever else reads them.</summary>
    private static bool IsPrinted(TypeDefinition type) => type.Methods.Any(method => method.Name == "PrintMembers");

    /// <summary>Written by hand, and called by what is: messages come from their schemas, with everything that their kind has, and so does
    /// what their codecs may call.</summary>
    private static bool IsOurs(TypeDefinition type) =>
        !ProductAssemblies.Chain(type).Any(outer => outer.Name.Contains('<') || IsGenerated(outer) || outer.Name is "KafkaReader" or "KafkaWriter"
            || outer.Interfaces.Any(kind => kind.InterfaceType.Name is "IMessage"
                || kind.InterfaceType.Name.StartsWith("IMessageStruct", StringComparison.Ordinal)));

    /// <summary>Called through the interface or the class above.</summary>
    private static bool IsOfContract(MethodDefinition method) => method.IsVirtual || method.HasOverrides;

    /// <summary>What a record has by itself reads all its parts, and says nothing about who needs them.</summary>
    private static bool IsOfRecord(MethodDefinition method) =>
        IsGenerated(method) && method.Name is "PrintMembers" or "Equals" or "GetHashCode" or "Deconstruct";

    private static bool IsGenerated(ICustomAttributeProvider member) =>
        member.CustomAttributes.Any(attribute => attribute.AttributeType.Name is nameof(CompilerGeneratedAttribute) or "GeneratedCodeAttribute");

    private static string Key(MethodDefinition method) => $"{method.Module.Name} {method.MetadataToken.ToInt32():x}";
}
