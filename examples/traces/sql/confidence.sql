-- How many answers there are by tenths of their confidence.
SELECT least(floor(confidence * 10) / 10, 0.9) AS at_least, count(*) AS answers
FROM traces
WHERE status = 'ok'
GROUP BY ALL
ORDER BY at_least;
