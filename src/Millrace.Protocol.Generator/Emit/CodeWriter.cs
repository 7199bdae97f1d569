using System.Text;

namespace Millrace.Protocol.Generator.Emit;

/// <summary>
/// Collects lines of C#, indented by the blocks that are open. A line is left blank after a block, unless the block around it ends there, too.
/// </summary>
internal sealed class CodeWriter
{
    private readonly StringBuilder _text = new();
    private int _depth;
    private bool _blockEnded;

    public void Line(string line = "")
    {
        if (_blockEnded && line.Length > 0 && line[0] != '}' && line != "else" && line != "break;")
        {
            _text.Append('\n');
        }

        _blockEnded = line.Length > 0 && line[0] == '}';
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

    /// <summary>What is done under a condition, or what is always done when the condition always holds.</summary>
    public void If(string condition, Action body)
    {
        if (condition == Condition.Always)
        {
            body();
            return;
        }

        Open($"if ({condition})");
        body();
        Close();
    }

    /// <summary>Indents what follows without braces, as the body of a case.</summary>
    public void Indent() => _depth++;

    public void Unindent() => _depth--;

    /// <summary>A summary of one line.</summary>
    public void Summary(string text) =>
        Line($"/// <summary>{text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;")}</summary>");

    public override string ToString() => _text.ToString();
}
