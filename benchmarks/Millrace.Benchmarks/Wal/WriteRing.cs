using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Millrace.Runtime.Files.Linux;
using Millrace.Runtime.Linux;

namespace Millrace.Benchmarks.Wal;

/// <summary>One thread, and an <c>io_uring</c>: each write has its flush linked to it, and one call hands in what is due and takes out what is done.</summary>
/// <remarks>The layout of what is shared with the kernel: <c>linux/io_uring.h</c>.</remarks>
internal sealed unsafe partial class WriteRing : IRawDevice
{
    private const int Entries = 64;
    private const int SetUp = 425;
    private const int Enter = 426;
    private const uint GetEvents = 1;
    private const byte WriteCall = 23;
    private const byte FlushCall = 3;
    private const byte LinkNext = 4;
    private const uint DataOnly = 1;
    private const long EntriesPlace = 0x10000000;
    private const int EntryBytes = 64;
    private const int ReadWriteMap = 3;
    private const int SharedPopulated = 0x8001;

    private readonly SafeFileHandle _file;
    private readonly long _capacity;
    private readonly int _ring;
    private readonly byte* _rings;
    private readonly nuint _ringsBytes;
    private readonly byte* _entries;
    private readonly Parameters _parameters;
    private uint _queued;

    public WriteRing(string path, long capacity)
    {
        _capacity = capacity;
        _file = LinuxFile.Open(path, LinuxFile.ReadWrite | LinuxFile.Direct);
        Parameters parameters = default;
        _ring = (int)Call(SetUp, Entries, (nint)(&parameters), 0, 0);
        if (_ring < 0)
        {
            throw LinuxError.ToException(Marshal.GetLastPInvokeError(), "io_uring_setup", path);
        }

        _parameters = parameters;
        _ringsBytes = Math.Max(
            parameters.SubmissionArray + parameters.SubmissionEntries * sizeof(uint),
            parameters.CompletionEntriesAt + parameters.CompletionEntries * (uint)sizeof(Completion));
        _rings = (byte*)Map(_ringsBytes, 0);
        _entries = (byte*)Map(parameters.SubmissionEntries * EntryBytes, EntriesPlace);
    }

    public Run Write(RawWork work, TimeSpan time)
    {
        var buffer = NativeMemory.AlignedAlloc((nuint)work.Bytes, LinuxFile.Sector);
        try
        {
            new Span<byte>(buffer, work.Bytes).Fill(0x5A);
            return Write(work, time, buffer);
        }
        finally
        {
            NativeMemory.AlignedFree(buffer);
        }
    }

    public void Dispose()
    {
        _ = LinuxCalls.UnmapMemory((nint)_entries, _parameters.SubmissionEntries * EntryBytes);
        _ = LinuxCalls.UnmapMemory((nint)_rings, _ringsBytes);
        _ = LinuxCalls.Close(_ring);
        _file.Dispose();
    }

    private Run Write(RawWork work, TimeSpan time, void* buffer)
    {
        var micros = new List<double>(1 << 16);
        var places = _capacity / work.Bytes;
        var starts = new long[work.AtOnce];
        var began = Stopwatch.GetTimestamp();
        var (number, underWay) = (0L, 0);
        for (var slot = 0; slot < work.AtOnce; slot++)
        {
            Begin(slot);
        }

        while (underWay > 0)
        {
            Check(Call(Enter, _ring, (nint)_queued, 1, GetEvents), "io_uring_enter");
            _queued = 0;
            while (TryTake() is { } done)
            {
                Check(done.Result, "a write or flush");
                if ((done.Tag & 1) == 1)
                {
                    var slot = (int)(done.Tag >> 1);
                    micros.Add(Stopwatch.GetElapsedTime(starts[slot]).TotalMicroseconds);
                    underWay--;
                    if (Stopwatch.GetElapsedTime(began) < time)
                    {
                        Begin(slot);
                    }
                }
            }
        }

        return new Run(micros.Count / Stopwatch.GetElapsedTime(began).TotalSeconds, new Sample(micros));

        void Begin(int slot)
        {
            if (work.PerSecond is { } rate)
            {
                Pause.Until(began + (long)(number / rate * Stopwatch.Frequency));
            }

            starts[slot] = Stopwatch.GetTimestamp();
            var tag = (ulong)slot << 1;
            var write = Queue(WriteCall, work.IsDurable ? tag : tag | 1);
            *(ulong*)(write + 8) = (ulong)(number++ % places * work.Bytes);
            *(ulong*)(write + 16) = (ulong)buffer;
            *(uint*)(write + 24) = (uint)work.Bytes;
            if (work.IsDurable)
            {
                write[1] = LinkNext;
                *(uint*)(Queue(FlushCall, tag | 1) + 28) = DataOnly;
            }

            underWay++;
        }
    }

    /// <summary>The next entry of the submission queue, of which there are more than are ever needed at once.</summary>
    private byte* Queue(byte call, ulong tag)
    {
        ref var tail = ref *(uint*)(_rings + _parameters.SubmissionTail);
        var index = tail & *(uint*)(_rings + _parameters.SubmissionMask);
        var entry = _entries + index * EntryBytes;
        Unsafe.InitBlock(entry, 0, EntryBytes);
        entry[0] = call;
        *(int*)(entry + 4) = (int)_file.DangerousGetHandle();
        *(ulong*)(entry + 32) = tag;
        *(uint*)(_rings + _parameters.SubmissionArray + index * sizeof(uint)) = index;
        Volatile.Write(ref tail, tail + 1);
        _queued++;
        return entry;
    }

    private Completion? TryTake()
    {
        ref var head = ref *(uint*)(_rings + _parameters.CompletionHead);
        if (head == Volatile.Read(ref *(uint*)(_rings + _parameters.CompletionTail)))
        {
            return null;
        }

        var done = *(Completion*)(_rings + _parameters.CompletionEntriesAt + (head & *(uint*)(_rings + _parameters.CompletionMask)) * (uint)sizeof(Completion));
        Volatile.Write(ref head, head + 1);
        return done;
    }

    private nint Map(nuint bytes, long place)
    {
        var start = LinuxCalls.MapMemory(0, bytes, ReadWriteMap, SharedPopulated, _ring, (nint)place);
        return start != -1 ? start : throw LinuxError.ToException(Marshal.GetLastPInvokeError(), "mmap", "an io_uring");
    }

    private static void Check(long result, string call)
    {
        if (result < 0)
        {
            throw LinuxError.ToException(result == -1 ? Marshal.GetLastPInvokeError() : (int)-result, call, "an io_uring");
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long Call(long number, long first, nint second, long third, long fourth, nint fifth = 0, nint sixth = 0);

    /// <summary><c>struct io_uring_params</c>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 120)]
    private struct Parameters
    {
        [FieldOffset(0)]
        public uint SubmissionEntries;

        [FieldOffset(4)]
        public uint CompletionEntries;

        [FieldOffset(44)]
        public uint SubmissionTail;

        [FieldOffset(48)]
        public uint SubmissionMask;

        [FieldOffset(64)]
        public uint SubmissionArray;

        [FieldOffset(80)]
        public uint CompletionHead;

        [FieldOffset(84)]
        public uint CompletionTail;

        [FieldOffset(88)]
        public uint CompletionMask;

        [FieldOffset(100)]
        public uint CompletionEntriesAt;
    }

    /// <summary><c>struct io_uring_cqe</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Completion(ulong Tag, int Result, uint Flags);
}
