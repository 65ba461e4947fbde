-- Why was this answer slow, or wrong, last Tuesday? The answers of a day to the questions that hold
-- some words, with the stage that took most above its usual time, and what else speaks against each.
-- Another day, and the words:
--   SET VARIABLE day = DATE '2026-03-03';
--   SET VARIABLE words = 'token bucket';
WITH usual AS (
    SELECT stage, median(ms) AS usual_ms FROM stages WHERE stage <> 'total' GROUP BY stage
), slowed AS (
    SELECT trace_id, arg_max(stage, ms - usual_ms) AS stage, max(ms - usual_ms) AS more_ms
    FROM stages JOIN usual USING (stage)
    GROUP BY trace_id
)
SELECT timestamp, query, round(total_latency_ms, 1) AS total_ms,
       stage AS slowed_by, round(more_ms, 1) AS above_its_median_ms,
       list_filter([
           error,
           CASE WHEN len(limits) > 0 THEN 'held back: ' || array_to_string(limits, ', ') END,
           CASE WHEN stale THEN 'the index was behind the files' END,
           CASE WHEN retrieval NOT IN ('hybrid-rrf', 'exact') THEN 'retrieval: ' || retrieval END,
           CASE WHEN len(cited_doc_ids) = 0 THEN 'nothing was cited' END
       ], lambda reason: reason IS NOT NULL) AS against_it,
       round(confidence, 2) AS confidence, synthesizer, cited_files, sequence, trace_id
FROM traces LEFT JOIN slowed USING (trace_id)
WHERE CAST(timestamp AS DATE) = coalesce(
          getvariable('day'),
          CURRENT_DATE - CAST(1 + (isodow(CURRENT_DATE) + 4) % 7 AS INTEGER)  -- last Tuesday
      )
  AND contains(lower(query), lower(coalesce(getvariable('words'), '')))
ORDER BY total_latency_ms DESC;
