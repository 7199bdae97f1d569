namespace Millrace.Streams.Wal.File;

/// <summary>Finds the durable end of a file WAL that nobody writes any more.</summary>
internal static class FileWalScan
{
    /// <summary>The header with its end filled in: behind the last block that could have been acknowledged.</summary>
    /// <exception cref="WalUnavailableException">Acknowledged blocks are bad.</exception>
    public static async ValueTask<FileWalHeader> FindEndAsync(
        WalDescriptor descriptor, WalBlockReader reader, FileWalHeader header, long ringSize, CancellationToken token)
    {
        var limit = header.IsSealed ? header.EndRingPosition : header.TrimRingPosition + ringSize;
        var position = header.TrimRingPosition;
        var sequence = header.TrimSequence;
        while (await reader.ReadAsync(position, sequence, limit, token) is { } block)
        {
            position += block.Header.BlockLength;
            sequence++;
        }

        // Sealed: recovery has seen these blocks once, and may have told of them. Not sealed: the writer's header or a later
        // block says that it knew the bad one durable. Anything else behind the end was never acknowledged: torn.
        var isAcknowledged = header.IsSealed
            ? sequence != header.EndSequence
            : sequence <= header.Confirmed || await IsConfirmedLaterAsync(reader, position, sequence, limit, token);
        return isAcknowledged
            ? throw new WalUnavailableException(
                descriptor,
                $"The WAL {descriptor.Location} is damaged: its block {sequence} at ring position {position} held acknowledged records and does not "
                + "match its checksum. Only a copy of the disk can have them.")
            : header with { EndRingPosition = position, EndSequence = sequence };
    }

    private static async ValueTask<bool> IsConfirmedLaterAsync(WalBlockReader reader, long position, long sequence, long limit, CancellationToken token)
    {
        var end = Math.Min(limit, position + FileWalFormat.ProofWindow);
        for (var place = position + FileWalFormat.Sector; place < end; place += FileWalFormat.Sector)
        {
            if (await reader.ReadHeaderAsync(place, limit, token) is { } later && later.Sequence > sequence && later.Confirmed >= sequence)
            {
                return true;
            }
        }

        return false;
    }
}
