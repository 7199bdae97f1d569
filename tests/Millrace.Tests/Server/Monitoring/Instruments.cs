using Millrace.Tests.Architecture;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Millrace.Tests.Server.Monitoring;

/// <summary>All instruments of the product, read from its compiled code: those too that measure nothing before something has gone wrong.</summary>
internal static class Instruments
{
    private const string Prefix = "millrace.";

    public static IReadOnlyList<Instrument> All { get; } =
    [
        .. from module in ProductAssemblies.Modules
           let around = module.Types.SelectMany(Words).ToHashSet()
           from type in ProductAssemblies.Types(module)
           from method in type.Methods
           where method.HasBody
           from instruction in method.Body.Instructions
           where instruction.Operand is MethodReference { DeclaringType.FullName: "System.Diagnostics.Metrics.Meter" } called
               && called.Name.StartsWith("Create", StringComparison.Ordinal)
           select Read(type, instruction, ((MethodReference)instruction.Operand).Name, around),
    ];

    /// <summary>The members of the product's enumerations, whose names are values of labels.</summary>
    public static IReadOnlySet<string> EnumMembers { get; } = ProductAssemblies.Modules
        .SelectMany(ProductAssemblies.Types)
        .Where(type => type.IsEnum)
        .SelectMany(type => type.Fields.Where(field => field.IsLiteral).Select(field => field.Name))
        .ToHashSet();

    /// <summary>The call's arguments stand before it: a name, for some what is called to observe, a unit and a description.</summary>
    private static Instrument Read(TypeDefinition type, Instruction call, string kind, IReadOnlySet<string> around)
    {
        var start = call;
        while (start.Operand is not string name || !name.StartsWith(Prefix, StringComparison.Ordinal))
        {
            start = start.Previous ?? throw new InvalidDataException($"{type} makes an instrument that is not named by a constant \"{Prefix}…\"");
        }

        var unit = start.Next;
        while (unit != call && unit.OpCode.Code != Code.Ldstr && (unit.OpCode.Code != Code.Ldnull || unit.Next.OpCode.Code == Code.Ldftn))
        {
            unit = unit.Next;
        }

        return unit == call
            ? throw new InvalidDataException($"{start.Operand} has no unit and no description")
            : new Instrument(kind, (string)start.Operand, (string?)unit.Operand, Words(ProductAssemblies.Outermost(type)), around);
    }

    private static HashSet<string> Words(TypeDefinition type) =>
    [
        .. type.Methods.Where(method => method.HasBody)
            .SelectMany(method => method.Body.Instructions)
            .Select(instruction => instruction.Operand)
            .OfType<string>(),
        .. type.NestedTypes.SelectMany(Words),
    ];
}
