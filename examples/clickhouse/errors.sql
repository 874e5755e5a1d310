-- What went wrong in each sandbox: how often, the first and last time, and the message of the first such record.
SELECT
    ResourceAttributes['kata.sandbox.id'] AS sandbox,
    ServiceName AS service,
    SeverityText AS level,
    count() AS records,
    min(Timestamp) AS first,
    max(Timestamp) AS last,
    argMin(Body, Timestamp) AS message
FROM otel_logs
WHERE SeverityNumber >= 17 AND sandbox != ''
GROUP BY sandbox, service, level, replaceRegexpAll(Body, '[0-9]+', '0')
ORDER BY records DESC, sandbox, first
LIMIT 20;
