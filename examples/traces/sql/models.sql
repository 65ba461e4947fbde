-- What each language model was given and wrote, and how fast. `SET VARIABLE price_in = 0.5` is a
-- price for a million tokens read, `price_out` for a million written.
SELECT model_id AS model, count(*) AS answers, sum(tokens_in) AS tokens_in,
       sum(tokens_out) AS tokens_out,
       round(sum(tokens_in) / 1e6 * coalesce(getvariable('price_in'), 0)
             + sum(tokens_out) / 1e6 * coalesce(getvariable('price_out'), 0), 4) AS cost,
       round(quantile_cont(ttft_ms, 0.95), 1) AS ttft_p95_ms, round(median(tps), 1) AS tps
FROM traces
WHERE model_id IS NOT NULL
GROUP BY ALL
ORDER BY cost DESC, answers DESC;
