using Microsoft.Extensions.Logging;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;

namespace Millrace.Coordination.Shards;

/// <content>How the shard comes from its log, and how it goes.</content>
internal sealed partial class CoordinatorPartition<TShard, TRecord>
{
    private static readonly TimeSpan FirstLoadPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestLoadPause = TimeSpan.FromSeconds(1);

    // Others may give memory back meanwhile. A node that has none for this long does better to start anew.
    private const int ShortagesInARow = 16;

    /// <summary>Throws the shard away: what it knows may not be what the log says, or is not ours to know any more.</summary>
    private void Discard(CoordinatorError error)
    {
        if (_phase == ShardPhase.Gone)
        {
            return;
        }

        _shard = null;
        _timers = null;
        _rewriting?.Dispose();
        _rewriting = null;
        _batch.Clear();
        _answers.Clear();
        while (_owed.First is { } owed)
        {
            Settle(owed.Value);
            owed.Value.Fail(error);
        }

        if (error == CoordinatorError.NotHere)
        {
            _phase = ShardPhase.Gone;
            _gone.Cancel();
            _gone.Dispose();
            _alarm.Dispose();
        }
        else
        {
            _phase = ShardPhase.Loading;
            Read();
        }
    }

    /// <summary>Begins to load, unless an append under way could still land behind what would be read.</summary>
    private void Read()
    {
        if (_underWay.Count == 0 && !_isReading && _phase == ShardPhase.Loading)
        {
            _isReading = true;

            // A fault that comes back with every load must not keep the node busy with loading.
            var waitsFirst = _faultsInARow > 1;
            _ = _runtime.Spawn("coordinator-load", stopping => LoadAsync(waitsFirst, stopping));
        }
    }

    private async Task LoadAsync(bool waitsFirst, CancellationToken stopping)
    {
        var pauses = new BackOff(_runtime, FirstLoadPause, LongestLoadPause);
        if (waitsFirst)
        {
            await pauses.PauseAsync(stopping);
        }

        var shortages = 0;
        while (!_goneToken.IsCancellationRequested)
        {
            try
            {
                var loading = await TakeWarmAsync() ?? LoadingShard<TShard, TRecord>.Create(_runtime, _logger, _create, _writer.MaxBatchBytes);
                var before = loading.Records;
                await loading.ReadAsync(_loader, _codec, _logger, _name, _goneToken);
                CoordinationMessages.Loaded(_logger, _name, loading.Records - before, before);
                Post(() => Activate(loading));
                return;
            }
            catch (OperationCanceledException) when (_goneToken.IsCancellationRequested)
            {
                return;
            }
            catch (CoordinatorException refused) when (refused.Error != CoordinatorError.NotHere)
            {
                shortages = 0;
                CoordinationMessages.LoadFailed(_logger, _name, refused.Error, refused.Message);
            }
            catch (CoordinatorException gone)
            {
                CoordinationMessages.NotHere(_logger, _name, gone.Message);
                Post(() => Discard(CoordinatorError.NotHere));
                return;
            }
            catch (OutOfMemoryException failure) when (++shortages <= ShortagesInARow)
            {
                CoordinationMessages.LoadFailed(_logger, LogLevel.Warning, _name, failure.Message);
            }
            catch (ProtocolException failure)
            {
                // The log holds what no version of this shard can have written. Nothing that is served from it could be trusted.
                CoordinationMessages.LoadGivenUp(_logger, _name, failure);
                Post(() => Discard(CoordinatorError.NotHere));
                return;
            }

            await pauses.PauseAsync(stopping);
        }
    }

    /// <summary>The first attempt begins where a shard that was read beforehand has come to; any other begins anew.</summary>
    private async Task<LoadingShard<TShard, TRecord>?> TakeWarmAsync()
    {
        if (_warm is not { } warm)
        {
            return null;
        }

        _warm = null;
        return await warm.TakeAsync() is { } shard && shard.MaxBatchBytes == _writer.MaxBatchBytes ? shard : null;
    }

    private void Activate(LoadingShard<TShard, TRecord> loaded)
    {
        _isReading = false;
        if (_phase == ShardPhase.Loading)
        {
            _shard = loaded.Shard;
            _timers = loaded.Timers;
            _length.Loaded(loaded.Records, loaded.HoldsUnknown);
            _phase = ShardPhase.Active;
            Apply(shard => shard.OnLoaded(), null);
            RewriteIfTooLong();
        }
    }
}
