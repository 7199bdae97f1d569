using System.Buffers;
using System.Diagnostics.Metrics;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.Memory;
using Xunit;

namespace Millrace.Tests.ObjectStorage;

/// <summary>It keeps what every store promises, and counts.</summary>
public sealed class MeasuredObjectStorageTests : ObjectStorageContract
{
    private readonly RealNode _node = new();

    private protected override ValueTask<IObjectStorage> OpenAsync() =>
        ValueTask.FromResult<IObjectStorage>(new MeasuredObjectStorage(_node.Runtime, new MemoryObjectStorage()));

    private protected override ValueTask CloseAsync()
    {
        _node.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Calls_are_counted_by_operation_and_outcome()
    {
        await using var store = new MeasuredObjectStorage(_node.Runtime, new AdjustedObjectStorage
        {
            Create = (inner, key, body) => key == "broken"
                ? throw new ObjectStorageException(ObjectStorageError.Transient, "cut")
                : inner.TryCreateAsync(key, body, Token),
        });
        var counted = new List<string>();
        var bytes = new SortedDictionary<string, long>(StringComparer.Ordinal);
        using var listener = new MeterListener { InstrumentPublished = (instrument, listener) => Enable(store, instrument, listener) };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) => counted.Add(string.Join(' ', tags.ToArray().Select(tag => tag.Value))));
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => bytes[instrument.Name] = bytes.GetValueOrDefault(instrument.Name) + value);
        listener.Start();

        Assert.True(await store.TryCreateAsync("a", new ReadOnlySequence<byte>(new byte[10]), Token));
        Assert.False(await store.TryCreateAsync("a", new ReadOnlySequence<byte>(new byte[10]), Token));
        await Assert.ThrowsAsync<ObjectStorageException>(() => store.TryCreateAsync("broken", default, Token).AsTask());
        await store.PutAsync("b", new ReadOnlySequence<byte>(new byte[100]), Token);
        Assert.Equal(10, (await store.GetAsync("a", Token))!.Length);
        Assert.Null(await store.GetAsync("absent", Token));
        Assert.Equal(5, await store.ReadAsync("b", 95, new byte[50], Token));
        Assert.Equal(2, (await store.ListAsync("", null, 10, Token)).Count);
        await store.DeleteAsync(["a"], Token);

        Assert.Equal(
            ["create ok", "create exists", "create transient", "put ok", "get ok", "get absent", "read ok", "list ok", "delete ok"], counted);
        Assert.Equal((110, 15), (bytes["millrace.object.store.written"], bytes["millrace.object.store.read"]));
    }

    // Other tests measure stores of their own at the same time.
    private static void Enable(MeasuredObjectStorage store, Instrument instrument, MeterListener listener)
    {
        if (ReferenceEquals(instrument.Meter, store.Meter))
        {
            listener.EnableMeasurementEvents(instrument);
        }
    }
}
