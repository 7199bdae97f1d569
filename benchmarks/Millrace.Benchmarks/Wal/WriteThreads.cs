using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Benchmarks.Wal;

/// <summary>A thread for each write that is under way: <c>pwrite</c>, and <c>fdatasync</c> behind it.</summary>
internal sealed unsafe class WriteThreads(string path, long capacity, TimeSpan flushDelay) : IRawDevice
{
    private readonly SafeFileHandle _file = LinuxFile.Open(path, LinuxFile.ReadWrite | LinuxFile.Direct);

    public Run Write(RawWork work, TimeSpan time)
    {
        var micros = new List<double>[work.AtOnce];
        var places = capacity / work.Bytes;
        var next = -1L;
        var began = Stopwatch.GetTimestamp();
        var threads = Enumerable.Range(0, work.AtOnce).Select(index => new Thread(() => micros[index] = WriteOnOne())).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        var all = micros.SelectMany(some => some).ToList();
        return new Run(all.Count / Stopwatch.GetElapsedTime(began).TotalSeconds, new Sample(all));

        List<double> WriteOnOne()
        {
            var buffer = NativeMemory.AlignedAlloc((nuint)work.Bytes, LinuxFile.Sector);
            var took = new List<double>(1 << 16);
            try
            {
                new Span<byte>(buffer, work.Bytes).Fill(0x5A);
                while (Stopwatch.GetElapsedTime(began) < time)
                {
                    var number = Interlocked.Increment(ref next);
                    if (work.PerSecond is { } rate)
                    {
                        Pause.Until(began + (long)(number / rate * Stopwatch.Frequency));
                    }

                    var start = Stopwatch.GetTimestamp();
                    RandomAccess.Write(_file, new ReadOnlySpan<byte>(buffer, work.Bytes), number % places * work.Bytes);
                    if (work.IsDurable)
                    {
                        LinuxFile.SyncData(_file, path);
                        Pause.For(flushDelay);
                    }

                    took.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
                }

                return took;
            }
            finally
            {
                NativeMemory.AlignedFree(buffer);
            }
        }
    }

    public void Dispose() => _file.Dispose();
}
