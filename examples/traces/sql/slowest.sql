-- The slowest answers, and the stage that took most of each.
SELECT trace_id, timestamp, round(total_latency_ms, 1) AS total_ms,
       (SELECT stage FROM stages
        WHERE stages.trace_id = traces.trace_id AND stage <> 'total'
        ORDER BY ms DESC LIMIT 1) AS longest_stage,
       limits, query
FROM traces
ORDER BY total_latency_ms DESC
LIMIT 20;
