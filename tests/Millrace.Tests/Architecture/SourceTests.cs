using System.Text.RegularExpressions;
using Xunit;

namespace Millrace.Tests.Architecture;

/// <summary>What a newcomer relies on to find things: a file is where its namespace says, and holds what its name says.</summary>
public sealed partial class SourceTests
{
    /// <summary>Two files fit side by side on a screen, and a sentence of a comment is read at a glance.</summary>
    private const int Width = 160;

    private static readonly string[] Roots = ["src", "tests", "benchmarks"];

    [Fact]
    public void Every_namespace_is_its_folder() =>
        Assert.All(Sources(), source =>
        {
            if (Namespace().Match(source.Text) is { Success: true } declared)
            {
                Assert.Equal(Path.GetDirectoryName(Path.GetRelativePath(source.Root, source.Path))!.Replace('/', '.'), declared.Groups["name"].Value);
            }
        });

    [Fact]
    public void Every_file_is_named_after_the_type_in_it() =>
        Assert.All(Sources().Where(source => Namespace().IsMatch(source.Text)), source =>
        {
            var declared = Declaration().Matches(source.Text).Select(found => found.Groups["name"].Value).ToList();
            Assert.Contains(Path.GetFileName(source.Path).Split('.')[0], declared);
        });

    [Fact]
    public void No_line_is_wider_than_a_reader_takes_in() =>
        Assert.All(Sources(), source => Assert.All(source.Text.Split('\n'), line => Assert.True(line.Length <= Width, $"{source.Path}: {line}")));

    private static IEnumerable<(string Root, string Path, string Text)> Sources() =>
        from root in Roots.Select(root => Path.Combine(Repository.Root, root))
        from path in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
        select (root, path, File.ReadAllText(path));

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(
        @"^(public |internal )?(?!using|namespace)[\w ]*\b(class|struct|interface|enum|record|record struct|delegate [\w<>?\[\]]+) (?<name>\w+)",
        RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
