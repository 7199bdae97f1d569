using Millrace.Metadata;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Tests.Protocol.Messages;
using Xunit;

namespace Millrace.Tests.Metadata.Channel;

/// <summary>The bytes of what nodes and the controller say to each other: nodes of different ages speak them.</summary>
public sealed class ControllerSchemaTests
{
    private static readonly Guid Id = new("00000001-0002-0003-0405-060708090A0B");

    private static readonly StreamOpsResponse.Range Range = new()
    {
        StoreId = 1, ObjectId = 2, Kind = 1, ObjectSize = 3, StreamId = 4, Epoch = 5, StartOffset = 6, EndOffset = 7, WrittenStartOffset = 8, Bytes = 9,
        MaxTimestamp = 10, HasCheckpoint = true, DigestHigh = 11, DigestLow = 12,
    };

    private static readonly ListHoldingsResponse.Range Holding = new()
    {
        StoreId = 1, ObjectId = 2, Kind = 1, ObjectSize = 3, StreamId = 4, Epoch = 5, StartOffset = 6, EndOffset = 7, WrittenStartOffset = 8, Bytes = 9,
        MaxTimestamp = 10, HasCheckpoint = true, DigestHigh = 11, DigestLow = 12,
    };

    public static TheoryData<IMessage, string> Messages { get; } = new()
    {
        { new ControllerRequestHead { ApiKey = 10002, ApiVersion = 0, VersionTerm = 3, VersionIndex = 4 }, "2712" + "0000" + Long(3) + Long(4) + "00" },
        { new ControllerResponseHead { ErrorCode = 2, ErrorMessage = "a", VersionTerm = 3, VersionIndex = 4 }, "0002" + "0261" + Long(3) + Long(4) + "00" },
        {
            new RegisterNodeRequest
            {
                IncarnationId = Id,
                Endpoints = [new() { Listener = "l", Host = "h", Port = 9092 }],
                Rack = null,
                WantedId = 7,
                Program = "p",
                InternalHost = "i",
                InternalPort = 9093,
                Name = "n",
                LeaseMs = 2_500,
                FenceMs = 3_000,
            },
            "00000001000200030405060708090A0B" + "02" + "026C" + "0268" + "00002384" + "00" + "00" + "00000007" + "0270" + "0269" + "00002385" + "026E"
            + "000009C4" + "00000BB8" + "00"
        },
        { new RegisterNodeResponse { NodeId = 7, NodeEpoch = 8 }, "00000007" + Long(8) + "00" },
        { new LeaveNodeRequest { NodeId = 7, NodeEpoch = 8 }, "00000007" + Long(8) + "00" },
        { new LeaveNodeResponse { Open = [new() { StreamId = 9, Epoch = 10, EndOffset = 11 }] }, "02" + Long(9) + Long(10) + Long(11) + "00" + "00" },
        { new EvacuateRequest { NodeId = 7, NodeEpoch = 8 }, "00000007" + Long(8) + "00" },
        { new EvacuateResponse(), "00" },
        { new ReturnLeadersRequest { NodeId = 7, NodeEpoch = 8 }, "00000007" + Long(8) + "00" },
        { new ReturnLeadersResponse(), "00" },
        {
            new WarmedUpRequest { NodeId = 7, NodeEpoch = 8, TopicId = Id, Partition = 3, EndOffset = 9 },
            "00000007" + Long(8) + "00000001000200030405060708090A0B" + "00000003" + Long(9) + "00"
        },
        { new WarmedUpResponse(), "00" },
        { new ReportDevicesRequest { NodeId = 7, NodeEpoch = 8, Devices = ["d", "e"] }, "00000007" + Long(8) + "03" + "0264" + "0265" + "00" },
        { new ReportDevicesResponse(), "00" },
        {
            new RegisterWalRequest { NodeId = 7, NodeEpoch = 8, WalId = Id, Kind = 2, Location = "l" },
            "00000007" + Long(8) + "00000001000200030405060708090A0B" + "02" + "026C" + "00"
        },
        { new RegisterWalResponse(), "00" },
        { new ListWalsRequest(), "00" },
        {
            new ListWalsResponse
            {
                Waiting =
                [
                    new()
                    {
                        Wal = new() { WalId = Id, Kind = 2, Location = "l", NodeId = 7, NodeEpoch = 8 },
                        Streams = [new() { StreamId = 9, Topic = "t", Partition = 1, PlannedTo = 3, IsDamaged = true }],
                    },
                ],
                Retired = [],
            },
            "02" + "00000001000200030405060708090A0B" + "02" + "026C" + "00000007" + Long(8) + "00"
            + "02" + Long(9) + "0274" + "00000001" + "00000003" + "01" + "00" + "00" + "01" + "00"
        },
        { new ForgetWalsRequest { NodeId = 7, NodeEpoch = 8, WalIds = [Id] }, "00000007" + Long(8) + "02" + "00000001000200030405060708090A0B" + "00" },
        { new ForgetWalsResponse(), "00" },
        {
            new CompleteRecoveryRequest { NodeId = 7, NodeEpoch = 8, WalId = Id, Ranges = [new() { StreamId = 9, Epoch = 10 }] },
            "00000007" + Long(8) + "00000001000200030405060708090A0B" + "02" + Long(9) + Long(10) + "00" + "00"
        },
        { new CompleteRecoveryResponse { DamagedStreams = [9], IsRetired = true }, "02" + Long(9) + "01" + "00" },
        { new ClaimWalRequest { NodeId = 7, NodeEpoch = 8, WalId = Id }, "00000007" + Long(8) + "00000001000200030405060708090A0B" + "00" },
        { new ClaimWalResponse(), "00" },
        { new ListSharesRequest { NodeId = 7, NodeEpoch = 8 }, "00000007" + Long(8) + "00" },
        {
            new ListSharesResponse { Shares = [new() { WalId = Id, Ranges = [new() { StreamId = 9, Epoch = 10, EndOffset = 11 }] }] },
            "02" + "00000001000200030405060708090A0B" + "02" + Long(9) + Long(10) + Long(11) + "00" + "00" + "00"
        },
        { new TakeCompactionRequest { NodeId = 7, NodeEpoch = 8 }, "00000007" + Long(8) + "00" },
        {
            new TakeCompactionResponse { Sources = [new() { StoreId = 1, ObjectId = 2, Size = 3, DigestHigh = 4, DigestLow = 5 }] },
            "02" + "0001" + Long(2) + Long(3) + Long(4) + Long(5) + "00" + "00"
        },
        {
            new ListHoldingsRequest { NodeId = 7, NodeEpoch = 8, Objects = [9], Streams = [10] },
            "00000007" + Long(8) + "02" + Long(9) + "02" + Long(10) + "00"
        },
        {
            new ListHoldingsResponse { Holdings = [new() { Ranges = [Holding], Checkpoint = Holding }] },
            "02" + "02" + RangeBytes + "01" + "00" + "5D" + RangeBytes + "00"
        },
        {
            new CommitCompactionRequest
            {
                NodeId = 7,
                NodeEpoch = 8,
                StoreId = 1,
                ObjectId = 2,
                Kind = 1,
                ObjectSize = 3,
                DigestHigh = 4,
                DigestLow = 5,
                Sources = [new() { ObjectId = 6, TakenHigh = 7, TakenLow = 8, RestHigh = 9, RestLow = 10 }],
                Ranges = [new() { StreamId = 2, Epoch = 3, StartOffset = 4, EndOffset = 5, Bytes = 6, MaxTimestamp = 7, HasCheckpoint = true }],
            },
            "00000007" + Long(8) + "0001" + Long(2) + "01" + Long(3) + Long(4) + Long(5)
            + "02" + Long(6) + Long(7) + Long(8) + Long(9) + Long(10) + "00"
            + "02" + Long(2) + Long(3) + Long(4) + Long(5) + Long(6) + Long(7) + "01" + "00"
            + "00"
        },
        { new CommitCompactionResponse { Replaced = 3 }, "00000003" + "00" },
        {
            new AcceptLossRequest { NodeId = 7, NodeEpoch = 8, WalId = Id, Streams = null },
            "00000007" + Long(8) + "00000001000200030405060708090A0B" + "00" + "00"
        },
        { new AcceptLossResponse { Lost = [new() { StreamId = 9, Topic = null, Partition = 1 }] }, "02" + Long(9) + "00" + "00000001" + "00" + "00" },
        {
            new StreamOpsRequest
            {
                NodeId = 7,
                NodeEpoch = 8,
                Creations = 1,
                Opens = [new() { StreamId = 2, Epoch = 3 }],
                Closes = [new() { StreamId = 2, Epoch = 3, EndOffset = 4, HandsOver = true }],
                Trims = [new() { StreamId = 2, Epoch = 3, StartOffset = 4 }],
                Prepares = [5],
                Commits =
                [
                    new()
                    {
                        WalId = Id,
                        Ranges =
                        [
                            new()
                            {
                                StoreId = 1, ObjectId = 2, Kind = 1, ObjectSize = 3, StreamId = 4, Epoch = 5,
                                StartOffset = 6, EndOffset = 7, WrittenStartOffset = 8,
                                Bytes = 9, MaxTimestamp = 10, HasCheckpoint = true, DigestHigh = 11, DigestLow = 12,
                            },
                        ],
                        Closes = [new() { StreamId = 4, Epoch = 5, EndOffset = 7, HandsOver = true }],
                    },
                ],
                Damages = [new() { WalId = Guid.Empty, StreamId = 2, Epoch = 3 }],
                RangeQueries = [new() { StreamId = 2, Offset = 3, Limit = 4, AsOfNow = true }],
                CommittedEnds = [2],
                RecoverableEnds = [new() { WalId = Id, StreamId = 2, Epoch = 3 }],
                OpenQueries = [new() { StreamId = 4, Epoch = 5 }],
            },
            "00000007" + Long(8) + "00000001"
            + "02" + Long(2) + Long(3) + "00"
            + "02" + Long(2) + Long(3) + Long(4) + "01" + "00"
            + "02" + Long(2) + Long(3) + Long(4) + "00"
            + "02" + "00000005"
            + "02" + "00000001000200030405060708090A0B" + "02" + RangeBytes + "02" + Long(4) + Long(5) + Long(7) + "01" + "00" + "00"
            + "02" + "00000000000000000000000000000000" + Long(2) + Long(3) + "00"
            + "02" + Long(2) + Long(3) + "00000004" + "01" + "00"
            + "02" + Long(2)
            + "02" + "00000001000200030405060708090A0B" + Long(2) + Long(3) + "00"
            + "02" + Long(4) + Long(5) + "00"
            + "00"
        },
        {
            new StreamOpsResponse
            {
                Created = [new() { StreamId = 2 }],
                Opened =
                [
                    new()
                    {
                        StartOffset = 1, EndOffset = 2, Epochs = [new() { Epoch = 3, StartOffset = 1 }], RangeCount = 7, Ranges = [Range], Checkpoint = Range,
                    },
                ],
                Closed = [new() { ErrorCode = 1, ErrorMessage = "a" }],
                Trimmed = [new()],
                Prepared = [new() { ObjectId = 5 }],
                Committed = [new() { Verdicts = [new() { Outcome = 3, StartOffset = 4, RangeCount = 5 }], Closed = [new()] }],
                Damaged = [],
                RangePages = [new() { Ranges = [Range] }],
                CommittedEnds = [2],
                RecoverableEnds = [-1],
                OpenAnswers = [new(), new() { Opening = new() { StartOffset = 1, EndOffset = 2, RangeCount = 7 } }],
            },
            "02" + "000000" + Long(2) + "00"
            + "02" + "000000" + Long(1) + Long(2) + "02" + Long(3) + Long(1) + "00" + "00000007" + "02" + RangeBytes + "01" + "00" + "5D" + RangeBytes
            + "02" + "00010261" + "00"
            + "02" + "000000" + "00"
            + "02" + "000000" + Long(5) + "00"
            + "02" + "000000" + "02" + "03" + Long(4) + "00000005" + "00" + "02" + "000000" + "00" + "00"
            + "01"
            + "02" + "000000" + "02" + RangeBytes + "00"
            + "02" + Long(2)
            + "02" + "FFFFFFFFFFFFFFFF"
            + "03" + "00" + "01" + "00" + "1A" + "000000" + Long(1) + Long(2) + "01" + "00000007" + "01" + "00"
            + "00"
        },
    };

    private static string RangeBytes =>
        "0001" + Long(2) + "01" + Long(3) + Long(4) + Long(5) + Long(6) + Long(7) + Long(8) + Long(9) + Long(10) + "01" + Long(11) + Long(12) + "00";

    [Theory]
    [MemberData(nameof(Messages), DisableDiscoveryEnumeration = true)]
    public void A_message_has_the_bytes_that_were_agreed_on(IMessage message, string bytes)
    {
        var written = MessageCodec.Write(message, 0);

        Assert.Equal(bytes, Convert.ToHexString(written));
        Assert.Equal(MessagePrinter.Print(message), MessagePrinter.Print(MessageCodec.For(message.GetType()).Read(written, 0)));
    }

    [Fact]
    public void Every_message_of_nodes_and_controller_is_covered_and_none_has_a_key_of_Kafkas()
    {
        Assert.Equal(
            Schemas.OfController.Keys.Order(),
            Messages.Select(row => row.Data.Item1.GetType().Name).Order());
        Assert.All(
            Schemas.OfController.Values.Where(schema => !schema.Name.EndsWith("Head", StringComparison.Ordinal)),
            schema => Assert.True(schema.Number >= 10_000 && ApiMessages.Find((ApiKey)schema.Number) is null, schema.Name));
    }

    private static string Long(long value) => value.ToString("X16", System.Globalization.CultureInfo.InvariantCulture);
}
