namespace Millrace.ObjectStorage;

/// <summary>The keys that every store can hold: parts of printable ASCII between single slashes.</summary>
internal static class ObjectKey
{
    /// <summary>Leaves room for a store's own prefix within the 1024 bytes that S3 allows.</summary>
    internal const int MaxLength = 512;

    /// <summary>A folder store gives each part a file's name.</summary>
    internal const int MaxPartLength = 200;

    /// <exception cref="ArgumentException">A key that some store could not hold, or could not tell from another.</exception>
    internal static void Check(string key)
    {
        var partLength = 0;
        for (var i = 0; i < key.Length; i++)
        {
            var isSlash = key[i] == '/';
            var isAllowed = isSlash ? partLength > 0 : key[i] is > ' ' and <= '~' && (partLength > 0 || key[i] != '.');
            partLength = isSlash ? 0 : partLength + 1;
            if (!isAllowed || partLength > MaxPartLength)
            {
                throw new ArgumentException($"The key '{key}' is not one that every store can hold (at character {i})", nameof(key));
            }
        }

        if (partLength == 0 || key.Length > MaxLength)
        {
            throw new ArgumentException($"The key '{key}' is empty, ends in a slash or is too long", nameof(key));
        }
    }
}
