using System.Buffers;
using System.Collections;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using Millrace.Broker.Apis;
using Millrace.Broker.Apis.Cluster;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Buffers;
using Millrace.Tests.Protocol.Messages;
using Xunit;

namespace Millrace.Tests.Broker.Apis;

/// <summary>Every error code of every served API's answers is reported, and every API can say one.</summary>
public sealed class ErrorReportTests
{
    [Fact]
    public void Handlers_report_each_error_code_of_their_answers()
    {
        var random = new Random(20261122);
        foreach (var (type, api) in Handlers())
        {
            var schema = Schemas.Find(api.GetGenericArguments()[1].Name);
            for (var version = schema.Versions.Min; version <= schema.Versions.Max; version++)
            {
                var response = new MessageFiller(schema, version, random).Fill();
                SetErrors(response, random);
                using var counted = new CountedErrors();
                api.GetMethod("ReportErrors")!.Invoke(RuntimeHelpers.GetUninitializedObject(type), [response, counted.Tally]);

                Assert.True(
                    ErrorsIn(response) == counted.Count,
                    $"{type.Name} v{version}: {ErrorsIn(response)} in {MessagePrinter.Print(response)}, reported {counted.Count}");
            }
        }
    }

    [Fact]
    public void Every_api_can_be_refused_at_every_version_with_an_error_that_its_clients_see()
    {
        var random = new Random(20261128);
        using var buffers = new BufferPool(0);
        foreach (var (type, api) in Handlers())
        {
            var schema = Schemas.Find(api.GetGenericArguments()[0].Name);
            var versions = (VersionRange)type.GetProperty("Versions")!.GetValue(null)!;
            for (var version = versions.Min; version <= versions.Max; version++)
            {
                var refused = 0;
                for (var round = 0; round < 20; round++)
                {
                    using var context = TestContext.Create(version, buffers.Rent(1));
                    var response = (IMessage)api.GetMethod("Refuse")!.Invoke(
                        RuntimeHelpers.GetUninitializedObject(type),
                        [context, new MessageFiller(schema, version, random).Fill(), ErrorCode.PolicyViolation])!;
                    // A client that is not answered is disconnected instead.
                    refused += context.Disconnected ? 1 : ErrorsIn(Encoded(response, version));
                }

                Assert.True(refused > 0 || IsBlind(type, version), $"{type.Name} v{version}");
            }
        }

        // An answer that has no room for an error yet, nor for anything that was asked.
        static bool IsBlind(Type type, short version) => type == typeof(DescribeLogDirsHandler) && version < 3;
    }

    private static List<(Type Type, Type Api)> Handlers()
    {
        // One that stands before others says what they say.
        var handlers = typeof(ApiTable).Assembly.GetTypes()
            .Where(type => !type.IsGenericTypeDefinition)
            .Select(type => (
                Type: type,
                Api: type.GetInterfaces().FirstOrDefault(api => api.IsGenericType && api.GetGenericTypeDefinition() == typeof(IApiHandler<,>))!))
            .Where(handler => handler.Api is not null)
            .ToList();
        Assert.True(handlers.Count >= 23);
        return handlers;
    }

    /// <summary>What a client reads; the codec refuses to drop what a version has no room for.</summary>
    private static IMessage Encoded(IMessage response, short version)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        response.Write(ref writer, version);
        writer.Flush();
        return (IMessage)typeof(ErrorReportTests).GetMethod(nameof(Read), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(response.GetType()).Invoke(null, [output.WrittenSpan.ToArray(), version])!;
    }

    private static T Read<T>(byte[] bytes, short version)
        where T : class, IVersionedMessage<T>
    {
        var reader = new KafkaReader(bytes);
        return T.Read(ref reader, version);
    }

    private static void SetErrors(object part, Random random) =>
        Walk(part, (holder, property) => property.SetValue(holder, (short)random.Next(-1, 3)));

    private static int ErrorsIn(object part)
    {
        var errors = 0;
        Walk(part, (holder, property) => errors += (short)property.GetValue(holder)! == 0 ? 0 : 1);
        return errors;
    }

    private static void Walk(object part, Action<object, PropertyInfo> visit)
    {
        foreach (var property in part.GetType().GetProperties().Where(property => property.GetIndexParameters().Length == 0))
        {
            if (property.Name == "ErrorCode")
            {
                visit(part, property);
            }
            else if (property.GetValue(part) is IEnumerable children and not string && property.PropertyType.IsGenericType)
            {
                foreach (var child in children.Cast<object>().Where(child => child.GetType().Namespace == typeof(ApiKey).Namespace && child.GetType().IsClass))
                {
                    Walk(child, visit);
                }
            }
        }
    }

    /// <summary>A tally whose counts are seen.</summary>
    private sealed class CountedErrors : IDisposable
    {
        private readonly Meter _meter = new("errors under test");
        private readonly MeterListener _listener = new();

        public CountedErrors()
        {
            Tally = new ErrorTally(_meter.CreateCounter<long>("errors"), KeyValuePair.Create("api", (object?)"x"));
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (ReferenceEquals(instrument.Meter, _meter))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Count += (int)value);
            _listener.Start();
        }

        public ErrorTally Tally { get; }

        public int Count { get; private set; }

        public void Dispose()
        {
            _listener.Dispose();
            _meter.Dispose();
        }
    }
}
