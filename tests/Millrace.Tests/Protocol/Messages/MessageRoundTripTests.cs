using CsCheck;
using Millrace.Protocol.Primitives;
using Xunit;

namespace Millrace.Tests.Protocol.Messages;

public sealed class MessageRoundTripTests
{
    public static TheoryData<string> Names => [.. Schemas.Messages.Keys, .. Schemas.OfController.Keys];

    [Fact]
    public void Every_schema_is_covered()
    {
        Assert.Equal((2 * 89) + 62, Schemas.Messages.Count);
        Assert.Equal((2 * 17) + 2, Schemas.OfController.Count);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_is_read_back_as_it_was_written(string name)
    {
        var schema = Schemas.Find(name);
        var codec = MessageCodec.For(Schemas.TypeOf(schema));
        Assert.Equal(new VersionRange(schema.Versions.Min, schema.Versions.Max), codec.Versions);
        VersionAndSeed(codec.Versions).Sample(
            (version, seed) =>
            {
                var message = new MessageFiller(schema, version, new Random(seed)).Fill();
                var bytes = MessageCodec.Write(message, version);
                Assert.Equal(bytes.Length, MessageCodec.Measure(message, version));
                var read = codec.Read(bytes, version);
                Assert.Equal(MessagePrinter.Print(message), MessagePrinter.Print(read));
                Assert.Equal(bytes, MessageCodec.Write(read, version));
            },
            iter: 20 * (codec.Versions.Max - codec.Versions.Min + 1),
            threads: 1);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_cut_anywhere_is_refused(string name)
    {
        var schema = Schemas.Find(name);
        var codec = MessageCodec.For(Schemas.TypeOf(schema));
        for (var version = codec.Versions.Min; version <= codec.Versions.Max; version++)
        {
            var bytes = MessageCodec.Write(new MessageFiller(schema, version, new Random(version)).Fill(), version);
            for (var length = 0; length < bytes.Length; length++)
            {
                Assert.Throws<ProtocolException>(() => codec.Read(bytes.AsMemory(0, length), version));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_of_an_unknown_version_is_neither_read_nor_written(string name)
    {
        var schema = Schemas.Find(name);
        var codec = MessageCodec.For(Schemas.TypeOf(schema));
        var message = (IMessage)Activator.CreateInstance(Schemas.TypeOf(schema))!;
        foreach (var version in new[] { (short)-1, (short)(codec.Versions.Min - 1), (short)(codec.Versions.Max + 1) })
        {
            Assert.Throws<ProtocolException>(() => codec.Read(new byte[1000], version));
            Assert.Throws<ProtocolException>(() => MessageCodec.Write(message, version));
        }
    }

    /// <summary>Changed bytes are refused or read, and reading allocates in proportion to the frame, whatever its lengths and counts say.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void A_mutated_message_is_refused_or_read_within_bounds(string name)
    {
        var schema = Schemas.Find(name);
        var codec = MessageCodec.For(Schemas.TypeOf(schema));
        Gen.Select(VersionAndSeed(codec.Versions), Gen.Int[1, 4]).Sample(
            (versionAndSeed, changes) =>
            {
                var (version, seed) = versionAndSeed;
                var random = new Random(seed);
                var bytes = MessageCodec.Write(new MessageFiller(schema, version, random).Fill(), version);
                for (var i = 0; i < changes && bytes.Length > 0; i++)
                {
                    // The extremes are where lengths and counts go wrong.
                    bytes[random.Next(bytes.Length)] = random.Next(3) switch { 0 => 0xff, 1 => 0x7f, _ => (byte)random.Next(256) };
                }

                var before = GC.GetAllocatedBytesForCurrentThread();
                var refused = false;
                try
                {
                    codec.Read(bytes, version);
                }
                catch (ProtocolException)
                {
                    refused = true;
                }

                // An element may take one byte on the wire and some hundred in memory; a refusal costs its exception.
                var allowed = (256L * bytes.Length) + (refused ? 64 * 1024 : 4 * 1024);
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, allowed);
            },
            iter: 100,
            threads: 1);
    }

    private static Gen<(short Version, int Seed)> VersionAndSeed(VersionRange versions) =>
        Gen.Select(Gen.Short[versions.Min, versions.Max], Gen.Int);
}
