-- How long each stage takes, by the hour or what `SET VARIABLE bucket = INTERVAL 1 DAY` says, in
-- milliseconds.
SELECT time_bucket(coalesce(getvariable('bucket'), INTERVAL 1 HOUR), timestamp) AS since, stage, count(*) AS answers,
       round(quantile_cont(ms, 0.5), 2) AS p50,
       round(quantile_cont(ms, 0.95), 2) AS p95,
       round(quantile_cont(ms, 0.99), 2) AS p99
FROM stages
GROUP BY ALL
ORDER BY since, p50 DESC, stage;
