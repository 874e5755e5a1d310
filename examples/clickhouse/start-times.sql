-- How long sandboxes took to start, according to the Go runtime's records: until the VM ran, until its agent answered, and
-- until the sandbox was started. In milliseconds, slowest first.
SELECT
    ResourceAttributes['kata.sandbox.id'] AS sandbox,
    min(Timestamp) AS began,
    dateDiff('millisecond', began, minIf(Timestamp, Body = 'VM started')) AS vm_ms,
    dateDiff('millisecond', began, minIf(Timestamp, Body = 'Agent started in the sandbox')) AS agent_ms,
    dateDiff('millisecond', began, minIf(Timestamp, Body = 'Sandbox is started')) AS started_ms
FROM otel_logs
WHERE ServiceName = 'kata' AND sandbox != ''
GROUP BY sandbox
HAVING countIf(Body = 'VM started') > 0 AND countIf(Body = 'Agent started in the sandbox') > 0
    AND countIf(Body = 'Sandbox is started') > 0
ORDER BY started_ms DESC, sandbox
LIMIT 20;
