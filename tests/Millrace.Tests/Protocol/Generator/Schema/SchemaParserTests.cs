using Millrace.Protocol.Generator.Schema;
using Xunit;

namespace Millrace.Tests.Protocol.Generator.Schema;

public sealed class SchemaParserTests
{
    [Theory]
    [InlineData("", "The schema is empty", 0)]
    [InlineData("thing X versions 0", "'thing' is not known here", 0)]
    [InlineData("data X", "A message needs a closed range of versions", 0)]
    [InlineData("data X versions 0+", "A message needs a closed range of versions", 0)]
    [InlineData("data X versions 0 color red", "'color' is not known here", 0)]
    [InlineData("data X versions 0\n  A", "The field's type is missing", 1)]
    [InlineData("data X versions 0\n  A int99 0", "'int99' is no type", 1)]
    [InlineData("data X versions 0\n  A int32 zero", "'zero' is not a range of versions", 1)]
    [InlineData("data X versions 0\n  A int32 0 shiny", "'shiny' is not known here", 1)]
    [InlineData("data X versions 0\n  A []bool 0", "An array of bool is not supported", 1)]
    [InlineData("data X versions 0\n  A int32 0\n    B int32 0", "'int32' has no fields", 2)]
    [InlineData("data X versions 0\n  A Thing 0", "The type 'Thing' of X.A is not declared", 0)]
    [InlineData("data X versions 0\n  A Thing 0\n    B int32 0\n  C []Thing 0\n    B int32 0", "The structure 'Thing' is declared twice", 3)]
    [InlineData("data X versions 0\n  A string 0 tag 0 0-1", "A tag lasts to the last version", 1)]
    [InlineData("data X versions 0\ndata Y versions 0", "A schema holds one record", 1)]
    [InlineData("api 1 X\nresponse versions 0 flexible none", "An API has one request and then one response", 0)]
    public void A_mistake_is_named_with_its_line(string text, string message, int line)
    {
        var error = Assert.Throws<SchemaException>(() => SchemaParser.Parse(text));
        Assert.Equal((message, line), (error.Message, error.Line));
    }

    [Fact]
    public void A_comment_documents_the_line_below_it()
    {
        var document = SchemaParser.Parse("# What it is.\ndata X versions 0\n  # In bytes,\n  # always.\n  size int32 0\n  other int32 0");
        var message = Assert.Single(document.Messages);
        Assert.Equal("What it is.", message.Documentation);
        Assert.Equal(["Size", "Other"], message.Fields.Select(field => field.Name));
        Assert.Equal(["In bytes, always.", null], message.Fields.Select(field => field.Documentation));
    }
}
