using System.Text;

namespace Millrace.Protocol.Generator.Emit;

/// <summary>Collects lines of C#, indented by the blocks that are open.</summary>
internal sealed class CodeWriter
{
    private readonly StringBuilder _text = new();
    private int _depth;

    public void Line(string line = "")
    {
        if (line.Length > 0)
        {
            _text.Append(' ', _depth * 4).Append(line);
        }

        _text.Append('\n');
    }

    /// <summary>Opens a block in braces under a line.</summary>
    public void Open(string line)
    {
        Line(line);
        Line("{");
        _depth++;
    }

    public void Close(string after = "")
    {
        _depth--;
        Line("}" + after);
    }

    /// <summary>Indents what follows without braces, as the body of a case.</summary>
    public void Indent() => _depth++;

    public void Unindent() => _depth--;

    /// <summary>A summary of one line.</summary>
    public void Summary(string text) =>
        Line($"/// <summary>{text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;")}</summary>");

    public override string ToString() => _text.ToString();
}
