-- What is missing: messages that journald suppressed or Rust's logger dropped, according to the records that report this,
-- and records that are kept as raw text because no format matched them.
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
