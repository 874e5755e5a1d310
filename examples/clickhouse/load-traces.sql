-- Spans of `kata-trace-forwarder --otlp-json-file` or `spool export`, by column name. Parameter: file, the path of the spans.
INSERT INTO otel_traces
    (Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
     ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage, `Events.Timestamp`, `Events.Name`, `Events.Attributes`,
     `Links.TraceId`, `Links.SpanId`, `Links.TraceState`, `Links.Attributes`)
WITH
    -- A value is an object with one member, named after its type.
    attributes -> CAST(arrayMap(pair -> (JSONExtractString(pair, 'key'),
        arrayElement(mapValues(JSONExtract(pair, 'value', 'Map(String, String)')), 1)), attributes), 'Map(LowCardinality(String), String)') AS asMap,
    asMap(JSONExtractArrayRaw(resourceSpans, 'resource', 'attributes')) AS resource,
    JSONExtractArrayRaw(span, 'events') AS events,
    JSONExtractArrayRaw(span, 'links') AS links,
    toUInt64OrZero(JSONExtractString(span, 'startTimeUnixNano')) AS start,
    toUInt64OrZero(JSONExtractString(span, 'endTimeUnixNano')) AS end
SELECT
    fromUnixTimestamp64Nano(toInt64(start)),
    JSONExtractString(span, 'traceId'),
    JSONExtractString(span, 'spanId'),
    JSONExtractString(span, 'parentSpanId'),
    JSONExtractString(span, 'traceState'),
    JSONExtractString(span, 'name'),
    ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'][JSONExtractUInt(span, 'kind') + 1],
    resource['service.name'],
    resource,
    JSONExtractString(scopeSpans, 'scope', 'name'),
    JSONExtractString(scopeSpans, 'scope', 'version'),
    asMap(JSONExtractArrayRaw(span, 'attributes')),
    if(end > start, end - start, 0),
    ['Unset', 'Ok', 'Error'][JSONExtractUInt(span, 'status', 'code') + 1],
    JSONExtractString(span, 'status', 'message'),
    arrayMap(event -> fromUnixTimestamp64Nano(toInt64OrZero(JSONExtractString(event, 'timeUnixNano'))), events),
    arrayMap(event -> JSONExtractString(event, 'name'), events),
    arrayMap(event -> asMap(JSONExtractArrayRaw(event, 'attributes')), events),
    arrayMap(link -> JSONExtractString(link, 'traceId'), links),
    arrayMap(link -> JSONExtractString(link, 'spanId'), links),
    arrayMap(link -> JSONExtractString(link, 'traceState'), links),
    arrayMap(link -> asMap(JSONExtractArrayRaw(link, 'attributes')), links)
FROM file({file:String}, 'JSONAsString', 'json String')
ARRAY JOIN JSONExtractArrayRaw(json, 'resourceSpans') AS resourceSpans
ARRAY JOIN JSONExtractArrayRaw(resourceSpans, 'scopeSpans') AS scopeSpans
ARRAY JOIN JSONExtractArrayRaw(scopeSpans, 'spans') AS span
-- Guests choose the times of their spans: a guest's many different dates must not make the whole insert fail.
SETTINGS throw_on_max_partitions_per_insert_block = 0;
