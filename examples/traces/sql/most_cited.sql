-- The files that answers cite most, as `repository:path`.
SELECT file, count(*) AS answers
FROM (SELECT unnest(cited_files) AS file FROM traces)
GROUP BY ALL
ORDER BY answers DESC, file
LIMIT 20;
