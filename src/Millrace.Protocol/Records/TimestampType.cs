namespace Millrace.Protocol.Records;

/// <summary>Whose clock a batch's timestamps come from.</summary>
public enum TimestampType : byte
{
    CreateTime = 0,
    LogAppendTime = 1,
}
