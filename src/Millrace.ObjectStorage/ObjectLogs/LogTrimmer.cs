using System.Collections.Immutable;

namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>Deletes what lies below a boundary: the marker first, then what it covers.</summary>
internal sealed class LogTrimmer(LogObjects objects)
{
    public async ValueTask TrimAsync(LogPlace boundary, ImmutableArray<LogPlace> seals, CancellationToken token)
    {
        // Mine, Taken and Gone all mean that the boundary is at least this one.
        var marker = LogBody.Marker(boundary, objects.Runtime.NewId());
        await objects.CreateAsync(objects.Keys.Marker(boundary), boundary, marker, token);

        var counted = seals.ToHashSet();
        var deleted = await DeleteAsync(
            objects.Keys.Objects,
            startAfter: null,
            key => Place(objects.Keys.ObjectPlace(key), key) is var place && place < boundary
                ? objects.Rules.MayDelete(place, counted.Contains(place))
                : null,
            token);
        // Lower markers come after this one in a list.
        deleted += await DeleteAsync(objects.Keys.Markers, objects.Keys.Marker(boundary), key => Place(objects.Keys.MarkerPlace(key), key) < boundary, token);
        ObjectLogMessages.Trimmed(objects.Logger, objects.Prefix, boundary, deleted);
    }

    // The judge says null where the rest of the list is to stay.
    private async ValueTask<long> DeleteAsync(string prefix, string? startAfter, Func<string, bool?> judge, CancellationToken token)
    {
        var deleted = 0L;
        await foreach (var page in objects.ListPagesAsync(prefix, startAfter, token))
        {
            var verdicts = page.Select(entry => (entry.Key, MayGo: judge(entry.Key))).TakeWhile(verdict => verdict.MayGo is not null).ToList();
            string[] condemned = [.. verdicts.Where(verdict => verdict.MayGo == true).Select(verdict => verdict.Key)];
            await objects.DeleteAsync(condemned, token);
            deleted += condemned.Length;
            if (verdicts.Count < page.Count)
            {
                break;
            }
        }

        return deleted;
    }

    private LogPlace Place(LogPlace? decoded, string key) =>
        decoded ?? throw new ObjectLogException(ObjectLogError.Corrupt, $"{objects.Prefix}: {key} is no key of this log");
}
