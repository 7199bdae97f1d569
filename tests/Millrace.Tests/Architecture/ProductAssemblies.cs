using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Millrace.Tests.Architecture;

/// <summary>The compiled product, as the tests of its shape read it.</summary>
internal static class ProductAssemblies
{
    private static readonly ReaderParameters Reading = new() { AssemblyResolver = Resolver() };

    /// <summary>Every project of the product that ends up in the program.</summary>
    public static IReadOnlyList<ModuleDefinition> Modules { get; } =
    [
        .. Directory.EnumerateDirectories(Path.Combine(Repository.Root, "src"))
            .Select(folder => Path.GetFileName(folder))
            .Where(project => project != "Millrace.Protocol.Generator")
            .Order(StringComparer.Ordinal)
            .Select(project => Read(project == "Millrace.Server" ? "millrace" : project)),
    ];

    /// <summary>Those who use the product beside itself.</summary>
    public static IReadOnlyList<ModuleDefinition> Tests { get; } = [Read("Millrace.Simulation"), Read("Millrace.Tests")];

    /// <summary>All types, nested ones and those that the compiler made among them.</summary>
    public static IEnumerable<TypeDefinition> Types(ModuleDefinition module) => module.GetTypes();

    /// <summary>What a type's declaration and code name: types by themselves and by their members.</summary>
    public static IEnumerable<MemberReference> Named(TypeDefinition type) =>
    [
        .. Parts(type.BaseType),
        .. type.Interfaces.SelectMany(implemented => Parts(implemented.InterfaceType)),
        .. type.Fields.SelectMany(field => Parts(field.FieldType)),
        .. type.CustomAttributes.SelectMany(Named),
        .. type.Methods.SelectMany(Named),
        .. type.GenericParameters.SelectMany(parameter => parameter.Constraints).SelectMany(constraint => Parts(constraint.ConstraintType)),
    ];

    /// <summary>What a method's signature and body name.</summary>
    public static IEnumerable<MemberReference> Named(MethodDefinition method) =>
    [
        .. Parts(method.ReturnType),
        .. method.Parameters.SelectMany(parameter => Parts(parameter.ParameterType)),
        .. method.CustomAttributes.SelectMany(Named),
        .. method.HasBody ? method.Body.Variables.SelectMany(variable => Parts(variable.VariableType)) : [],
        .. method.HasBody ? method.Body.Instructions.SelectMany(Named) : [],
    ];

    /// <summary>The type at the top of a nest, which is the one that a file is named after.</summary>
    public static TypeDefinition Outermost(TypeDefinition type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    /// <summary>A type and those that it is nested in.</summary>
    public static IEnumerable<TypeDefinition> Chain(TypeDefinition type) => type.DeclaringType is { } outer ? [type, .. Chain(outer)] : [type];

    private static ModuleDefinition Read(string project) => ModuleDefinition.ReadModule(PathOf(project), Reading);

    private static string PathOf(string project) => Path.Combine(AppContext.BaseDirectory, project + ".dll");

    private static DefaultAssemblyResolver Resolver()
    {
        var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(AppContext.BaseDirectory);
        return resolver;
    }

    private static IEnumerable<MemberReference> Named(CustomAttribute attribute) => [attribute.AttributeType, attribute.Constructor];

    private static IEnumerable<MemberReference> Named(Instruction instruction) => instruction.Operand switch
    {
        MethodReference method =>
        [
            method, .. Parts(method.DeclaringType), .. Parts(method.ReturnType),
            .. method is GenericInstanceMethod generic ? generic.GenericArguments.SelectMany(Parts) : [],
        ],
        FieldReference field => [field, .. Parts(field.DeclaringType)],
        TypeReference type => Parts(type),
        _ => [],
    };

    private static IEnumerable<TypeReference> Parts(TypeReference? type) => type switch
    {
        null or GenericParameter => [],
        GenericInstanceType generic => [.. Parts(generic.ElementType), .. generic.GenericArguments.SelectMany(Parts)],
        TypeSpecification wrapped => Parts(wrapped.ElementType),
        _ => [type],
    };
}
