using System.Globalization;
using Millrace.Runtime.Linux;

namespace Millrace.Runtime.Files.Linux;

/// <summary>What Linux tells of a block device.</summary>
internal static class LinuxBlockDevice
{
    internal static FileStatus GetStatus(string path, in LinuxStatus status)
    {
        using var device = LinuxFile.Open(path, LinuxFile.ReadOnly);
        var length = LinuxFile.GetBlockDeviceSize(device, path);
        var (logical, physical) = LinuxFile.GetSectors(device, path);
        var number = string.Create(CultureInfo.InvariantCulture, $"{status.DeviceMajor}:{status.DeviceMinor}");
        var folder = $"/sys/dev/block/{number}";
        var name = ReadWord($"{folder}/wwid") ?? ReadWord($"{folder}/device/wwid");
        return new FileStatus(length, LinkCount: 1, IsDirectory: false, name ?? number)
        {
            Device = new BlockDeviceStatus(name, File.Exists($"{folder}/partition"), logical, physical),
        };
    }

    // Names of old SCSI devices are padded with blanks.
    private static string? ReadWord(string path)
    {
        try
        {
            var words = File.ReadAllText(path).Split([' ', '\n', '\0'], StringSplitOptions.RemoveEmptyEntries);
            return words.Length > 0 ? string.Join('_', words) : null;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            // Virtual devices have no such file, and some drivers one that cannot be read.
            return null;
        }
    }
}
