using System.Buffers;
using CsCheck;
using Millrace.Broker.Apis;
using Millrace.Broker.Apis.Data;
using Millrace.Broker.Errors;
using Millrace.Metadata.Image;
using Millrace.Network.Access;
using Millrace.Protocol;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Data;

public sealed class RefusedBatchesTests
{
    private const long Pid = 7;
    private static readonly TopicReference Topic = new("t", default, IsById: false);
    private readonly ClientConnection _connection = TestContext.NewConnection(ListenerName.Plaintext);

    [Theory]
    [InlineData(0, 3)]
    [InlineData(int.MaxValue, 0)]
    [InlineData(int.MaxValue - 1, 4)]
    public void What_comes_behind_a_refused_batch_is_refused_until_that_comes_again(int first, int behind)
    {
        Refuse(PartitionError.NotLeader, first);
        Refuse(PartitionError.NotLeader, behind);

        Assert.Equal(PartitionError.NotLeader, Judge(behind));
        Assert.Equal(PartitionError.None, Judge(first));
        Assert.Equal(PartitionError.None, Judge(behind));
    }

    [Fact]
    public void What_comes_before_it_is_judged_by_itself_and_is_the_first_if_it_is_refused()
    {
        Refuse(PartitionError.NotLeader, 3);
        Assert.Equal(PartitionError.None, Judge(0));
        Assert.Equal(PartitionError.NotLeader, Judge(4));

        Refuse(PartitionError.TimedOut, 0);
        Assert.Equal(PartitionError.TimedOut, Judge(3));
        Assert.Equal(PartitionError.None, Judge(0));
        Assert.Equal(PartitionError.None, Judge(3));
    }

    [Fact]
    public void A_newer_epoch_does_not_wait_for_what_a_former_one_was_refused_and_an_older_one_for_nothing()
    {
        Refuse(PartitionError.NotLeader, 5, epoch: 1);

        Assert.Equal(PartitionError.None, Judge(6, epoch: 0));
        Refuse(PartitionError.TimedOut, 0, epoch: 0);
        Assert.Equal(PartitionError.NotLeader, Judge(6, epoch: 1));
        Assert.Equal(PartitionError.None, Judge(9, epoch: 2));
        Assert.Equal(PartitionError.None, Judge(6, epoch: 1));
    }

    [Fact]
    public void Other_partitions_topics_producers_and_connections_are_not_concerned_nor_is_who_is_not_idempotent()
    {
        Refuse(PartitionError.NotLeader, 0);
        var refused = RefusedBatches.Of(_connection)!;

        Assert.Equal(PartitionError.None, refused.Judge(Topic, Data(Batches.Idempotent(Pid, 0, 1), partition: 1)));
        Assert.Equal(PartitionError.None, refused.Judge(new TopicReference("u", default, IsById: false), Data(Batches.Idempotent(Pid, 0, 1))));
        Assert.Equal(PartitionError.None, refused.Judge(Topic, Data(Batches.Idempotent(Pid + 1, 0, 1))));
        Assert.Equal(PartitionError.None, refused.Judge(Topic, Data(Batches.Of("a"))));
        Assert.Null(RefusedBatches.Of(TestContext.NewConnection(ListenerName.Plaintext)));
        Assert.Equal(PartitionError.NotLeader, Judge(1));
    }

    [Theory]
    [InlineData(PartitionError.InvalidRecord)]
    [InlineData(PartitionError.BatchTooLarge)]
    [InlineData(PartitionError.OutOfOrderSequence)]
    [InlineData(PartitionError.InternalTopic)]
    public void Nothing_is_kept_of_what_nobody_sends_again(object final)
    {
        Refuse((PartitionError)final, 0);
        RefusedBatches.Add(_connection, Topic, Data(Batches.Of("a")), PartitionError.NotLeader);
        RefusedBatches.Add(_connection, Topic, Data([1, 2, 3]), PartitionError.CorruptBatch);
        RefusedBatches.Add(_connection, Topic, new ProduceRequest.PartitionProduceData(), PartitionError.NotLeader);
        var none = new TopicReference(new string('x', 10_000), default, IsById: false);
        RefusedBatches.Add(_connection, none, Data(Batches.Idempotent(Pid, 0, 0)), PartitionError.UnknownPartition);

        Assert.Null(RefusedBatches.Of(_connection));
    }

    [Fact]
    public void An_error_that_is_final_to_most_is_not_told_of_what_comes_behind()
    {
        Refuse(PartitionError.Failed, 0);

        Assert.Equal(PartitionError.OutOfOrderSequence, Judge(1));
    }

    [Fact]
    public void Beyond_the_bound_everything_of_idempotent_producers_is_refused_for_good()
    {
        for (var pid = 0; pid < RefusedBatches.Most; pid++)
        {
            RefusedBatches.Add(_connection, Topic, Data(Batches.Idempotent(pid, 0, 0)), PartitionError.NotLeader);
        }

        var refused = RefusedBatches.Of(_connection)!;
        Assert.False(refused.IsFull);
        RefusedBatches.Add(_connection, Topic, Data(Batches.Idempotent(RefusedBatches.Most, 0, 0)), PartitionError.NotLeader);

        Assert.True(refused.IsFull);
        Assert.Equal(0, refused.Count);
        Assert.Equal(PartitionError.NotLeader, refused.Judge(Topic, Data(Batches.Idempotent(0, 0, 0))));
        Assert.Equal(PartitionError.NotLeader, refused.Judge(Topic, Data(Batches.Idempotent(99_999, 0, 0))));
        Assert.Equal(PartitionError.None, refused.Judge(Topic, Data(Batches.Of("a"))));
    }

    /// <summary>A producer pipelines, sends what was refused again in order, and a partition refuses by lot: what is taken has no gap.</summary>
    [Fact]
    public void Whatever_is_refused_the_rest_is_taken_in_order_and_without_a_gap() =>
        Gen.Select(Gen.Bool.Array[1, 200], Gen.Int[1, 5], Gen.OneOf(Gen.Const(0), Gen.Const(int.MaxValue - 10))).Sample((lots, pipelined, origin) =>
        {
            var connection = TestContext.NewConnection(ListenerName.Plaintext);
            List<int> taken = [];
            var lot = 0;
            while (lot < lots.Length)
            {
                // What was not taken, in order, and new ones behind it.
                var window = Enumerable.Range(taken.Count, pipelined).ToArray();
                foreach (var number in window)
                {
                    var data = Data(Batches.Idempotent(Pid, 0, (int)((origin + (long)number) & int.MaxValue)));
                    var error = RefusedBatches.Of(connection)?.Judge(Topic, data) ?? PartitionError.None;
                    if (error == PartitionError.None && lots[lot++ % lots.Length])
                    {
                        error = PartitionError.NotLeader;
                    }

                    if (error == PartitionError.None)
                    {
                        taken.Add(number);
                    }
                    else
                    {
                        RefusedBatches.Add(connection, Topic, data, error);
                    }
                }
            }

            Assert.Equal(Enumerable.Range(0, taken.Count), taken);
        });

    private static ProduceRequest.PartitionProduceData Data(byte[] batch, int partition = 0) =>
        new() { Index = partition, Records = new ReadOnlySequence<byte>(batch) };

    private void Refuse(PartitionError error, int sequence, short epoch = 0) =>
        RefusedBatches.Add(_connection, Topic, Data(Batches.Idempotent(Pid, epoch, sequence)), error);

    private PartitionError Judge(int sequence, short epoch = 0) =>
        RefusedBatches.Of(_connection)!.Judge(Topic, Data(Batches.Idempotent(Pid, epoch, sequence)));
}
