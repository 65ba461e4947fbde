-- Questions that nothing in the index answers, those asked most often first.
SELECT lower(trim(query)) AS question, count(*) AS times, max(timestamp) AS last_asked
FROM traces
WHERE list_has_any(limits, ['no_evidence', 'no_retrieval', 'scope_empty'])
GROUP BY ALL
ORDER BY times DESC, last_asked DESC
LIMIT 20;
