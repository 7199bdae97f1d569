using Millrace.Metadata;
using Millrace.Metadata.Channel;

namespace Millrace.Controller.Clients;

/// <summary>
/// Asks the controller in one request at a time. What comes while one is under way goes together in the next: a single question waits for nothing, and
/// thousands of streams take a few round trips.
/// </summary>
/// <remarks>
/// More than one under way would be no faster, since the controller writes one entry at a time and would keep the others waiting there; and would let
/// what is asked of a stream overtake what was asked before. Threading: any thread.
/// </remarks>
/// <param name="channel">The way to the controller.</param>
internal sealed class StreamOpsLane(IControllerChannel channel)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Question> _waiting = new();
    private bool _isUnderWay;

    /// <exception cref="Millrace.Streams.StreamException">The request that it went in was refused as a whole.</exception>
    public async ValueTask<StreamOpsResponse> AskAsync(StreamOpsRequest request, CancellationToken token)
    {
        var question = new Question(request);
        using var registration = token.UnsafeRegister(_ => GiveUp(question, token), null);
        bool begins;
        lock (_lock)
        {
            question.Place = question.Answer.Task.IsCompleted ? null : _waiting.AddLast(question);
            begins = !_isUnderWay;
            _isUnderWay = true;
        }

        if (begins)
        {
            // Not awaited: it goes on with what others ask, whatever becomes of this question.
            _ = RunAsync();
        }

        return await ChannelRefusals.TellAsync(new ValueTask<StreamOpsResponse>(question.Answer.Task));
    }

    // Never fails: a failure goes to those who wait.
    private async Task RunAsync()
    {
        try
        {
            while (Gather() is { } batch)
            {
                await SendAsync(batch);
            }
        }
        catch (Exception failure)
        {
            // No memory to gather what waits.
            FailAll(failure);
        }
    }

    private async Task SendAsync(Batch batch)
    {
        try
        {
            var answer = await channel.SendAsync<StreamOpsRequest, StreamOpsResponse>(batch.Requests.Join(), batch.Abandoned);
            batch.Complete(batch.Requests.Split(answer));
        }
        catch (Exception failure)
        {
            batch.Fail(failure);
        }
        finally
        {
            lock (_lock)
            {
                batch.End();
            }
        }
    }

    private void FailAll(Exception failure)
    {
        lock (_lock)
        {
            while (_waiting.First is { } first)
            {
                _waiting.RemoveFirst();
                first.Value.Answer.TrySetException(failure);
            }

            _isUnderWay = false;
        }
    }

    private Batch? Gather()
    {
        lock (_lock)
        {
            if (_waiting.Count == 0)
            {
                _isUnderWay = false;
                return null;
            }

            var batch = new Batch();
            foreach (var question in _waiting)
            {
                if (!batch.Requests.TryAdd(question.Request))
                {
                    break;
                }

                batch.Add(question);
            }

            // They leave the line last, when nothing can fail any more: whoever waits there is told of a failure.
            for (var i = 0; i < batch.Count; i++)
            {
                _waiting.RemoveFirst();
            }

            return batch;
        }
    }

    private void GiveUp(Question question, CancellationToken token)
    {
        Batch? abandoned;
        lock (_lock)
        {
            question.Answer.TrySetCanceled(token);
            if (question.Place?.List is not null)
            {
                _waiting.Remove(question.Place);
            }

            abandoned = question.Batch?.Leave() == true ? question.Batch : null;
        }

        abandoned?.Abandon();
    }

    private sealed class Question(StreamOpsRequest request)
    {
        public StreamOpsRequest Request => request;

        public TaskCompletionSource<StreamOpsResponse> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Where it waits; nowhere if it was given up at once.</summary>
        public LinkedListNode<Question>? Place { get; set; }

        /// <summary>What it is under way in.</summary>
        public Batch? Batch { get; set; }
    }

    /// <summary>Questions that are under way together. When the last of those who ask has given up, so is the request.</summary>
    private sealed class Batch
    {
        private readonly List<Question> _questions = [];
        private readonly CancellationTokenSource _abandoned = new();
        private int _left;
        private bool _ended;

        public GatheredStreamOps Requests { get; } = new();

        public CancellationToken Abandoned => _abandoned.Token;

        public int Count => _questions.Count;

        public void Add(Question question)
        {
            _questions.Add(question);
            _left++;
            question.Batch = this;
        }

        /// <returns>Whether nobody is left.</returns>
        public bool Leave() => --_left == 0 && !_ended;

        // Without a lock: cancelling runs other people's code. Nothing is to be disposed of, since nobody waits for the source and it has no timer.
        public void Abandon() => _abandoned.Cancel();

        public void End() => _ended = true;

        public void Complete(IReadOnlyList<StreamOpsResponse> answers)
        {
            for (var i = 0; i < answers.Count; i++)
            {
                _questions[i].Answer.TrySetResult(answers[i]);
            }
        }

        public void Fail(Exception failure) => _questions.ForEach(question => question.Answer.TrySetException(failure));
    }
}
