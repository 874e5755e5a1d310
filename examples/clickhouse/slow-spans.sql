-- The slowest calls by service and name, in milliseconds.
SELECT
    ServiceName AS service,
    SpanName AS span,
    count() AS calls,
    countIf(StatusCode = 'Error') AS errors,
    round(quantile(0.5)(Duration) / 1e6, 3) AS median_ms,
    round(quantile(0.99)(Duration) / 1e6, 3) AS p99_ms,
    round(max(Duration) / 1e6, 3) AS slowest_ms
FROM otel_traces
GROUP BY service, span
ORDER BY slowest_ms DESC, service, span
LIMIT 20;
