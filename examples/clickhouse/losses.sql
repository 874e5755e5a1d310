-- What is missing from the records: messages that journald suppressed and that Rust's logger dropped, by the records that
-- say so, and records that are kept as raw text because no format claimed them.
SELECT
    multiIf(match(Body, '^Suppressed [0-9]+ messages from'), 'suppressed by journald',
            match(Body, 'dropped.*messages|messages.*dropped'), 'dropped by a logger',
            'raw text') AS loss,
    if(loss = 'raw text', count(), sum(toUInt64OrZero(extract(Body, '[0-9]+')))) AS messages,
    count() AS records,
    min(Timestamp) AS first,
    max(Timestamp) AS last
FROM otel_logs
WHERE match(Body, '^Suppressed [0-9]+ messages from') OR match(Body, 'dropped.*messages|messages.*dropped')
    OR mapContains(LogAttributes, 'kata.kata-log-parser-raw')
GROUP BY loss
ORDER BY loss;
