-- What the other queries read: each trace once, its time in UTC. Set the folder first:
--   SET VARIABLE traces = '.codeintel/traces';
CREATE OR REPLACE VIEW traces AS
SELECT DISTINCT ON (trace_id) * REPLACE (timezone('UTC', timestamp) AS timestamp)
FROM read_parquet(getvariable('traces') || '/*.parquet', union_by_name = true)
ORDER BY trace_id;

-- A row for each stage that ran.
CREATE OR REPLACE VIEW stages AS
UNPIVOT (
    SELECT trace_id, timestamp, status,
           embed_latency_ms AS embed, faiss_latency_ms AS faiss, bm25_latency_ms AS bm25,
           splade_latency_ms AS splade, fusion_latency_ms AS fusion,
           hydration_latency_ms AS hydration, rerank_latency_ms AS rerank,
           synthesis_latency_ms AS synthesis, total_latency_ms AS total
    FROM traces
)
ON embed, faiss, bm25, splade, fusion, hydration, rerank, synthesis, total
INTO NAME stage VALUE ms;
