using Millrace.Protocol.Messages;

namespace Millrace.Protocol;

public static partial class ApiMessages
{
    /// <summary>An API by its key; null when there is none.</summary>
    public static ApiMessage? Find(ApiKey key) => (ushort)key < Index.ByKey.Length ? Index.ByKey[(int)key] : null;

    // A class of its own: static fields of one class over several files have no defined order.
    private static class Index
    {
        public static readonly ApiMessage?[] ByKey = Build();

        private static ApiMessage?[] Build()
        {
            var byKey = new ApiMessage?[(int)All[^1].Key + 1];
            foreach (var api in All)
            {
                byKey[(int)api.Key] = api;
            }

            return byKey;
        }
    }
}
