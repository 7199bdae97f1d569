using System.Collections;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using Millrace.Broker.Apis;
using Millrace.Broker.Requests;
using Millrace.Protocol;
using Millrace.Tests.Protocol.Messages;
using Xunit;

namespace Millrace.Tests.Broker.Apis;

/// <summary>Every error code of every served API's answers is reported.</summary>
public sealed class ErrorReportTests
{
    [Fact]
    public void Handlers_report_each_error_code_of_their_answers()
    {
        var random = new Random(20261122);
        var handlers = typeof(ApiTable).Assembly.GetTypes()
            .Select(type => (Type: type, Api: type.GetInterfaces().FirstOrDefault(api => api.IsGenericType && api.GetGenericTypeDefinition() == typeof(IApiHandler<,>))))
            .Where(handler => handler.Api is not null)
            .ToList();
        Assert.True(handlers.Count >= 23);
        foreach (var (type, api) in handlers)
        {
            var schema = Schemas.Messages[api!.GetGenericArguments()[1].Name];
            for (var version = schema.Versions.Min; version <= schema.Versions.Max; version++)
            {
                var response = new MessageFiller(schema, version, random).Fill();
                SetErrors(response, random);
                using var counted = new CountedErrors();
                api!.GetMethod("ReportErrors")!.Invoke(RuntimeHelpers.GetUninitializedObject(type), [response, counted.Tally]);

                Assert.True(ErrorsIn(response) == counted.Count, $"{type.Name} v{version}: {ErrorsIn(response)} in {MessagePrinter.Print(response)}, reported {counted.Count}");
            }
        }
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
