-- Records of `kata-log-parser --output-format ndjson`, by column name. Parameter: file, the path of the records.
INSERT INTO otel_logs
    (Timestamp, TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber, ServiceName, Body, ResourceAttributes, ScopeName,
     LogAttributes)
WITH
    JSONExtract(json, 'Map(String, String)') AS fields,
    fields['sandbox'] AS sandbox,
    fields['trace_id'] AS trace,
    -- The agent's records come from the guest's console; all others from the runtime's process or other host programs.
    multiIf(fields['name'] = 'kata-agent' OR fields['source'] = 'agent', 'kata-agent',
            fields['source'] = 'vmconsole', 'kata-guest',
            fields['name'] = '' OR startsWith(fields['name'], 'containerd-shim') OR startsWith(fields['name'], 'kata'), 'kata',
            fields['name']) AS service
SELECT
    parseDateTime64BestEffortOrZero(fields['time'], 9, 'UTC'),
    trace,
    fields['span_id'],
    if(trace = '', 0, 1),
    fields['level'],
    transform(fields['level'],
        ['trace', 'debug', 'info', 'notice', 'warn', 'warning', 'error', 'critical', 'fatal', 'panic'],
        [1, 5, 9, 10, 13, 13, 17, 21, 21, 24], 0),
    service,
    fields['msg'],
    mapFilter((name, value) -> value != '',
        map('service.name', service, 'kata.sandbox.id', sandbox, 'service.instance.id', sandbox, 'host.name', fields['host'])),
    if(fields['subsystem'] = '', fields['source'], fields['subsystem']),
    mapFilter((name, value) -> value != '', mapConcat(
        map('container.id', fields['container'], 'process.pid', fields['pid'], 'kata.source', fields['source']),
        mapApply((name, value) -> (concat('kata.', name), value),
            mapFilter((name, value) -> name NOT IN ('time', 'level', 'msg', 'source', 'subsystem', 'name', 'pid', 'container',
                'sandbox', 'host', 'trace_id', 'span_id', 'count', 'delta'), fields))))
FROM file({file:String}, 'JSONAsString', 'json String')
-- Guests choose the times of their records: a guest's many different dates must not make the whole insert fail.
SETTINGS throw_on_max_partitions_per_insert_block = 0;
