-- Which share of a day's answers was held back, and by what: time-outs, errors, no evidence.
WITH words AS (SELECT timestamp::DATE AS day, unnest(limits) AS word FROM traces),
     days AS (SELECT timestamp::DATE AS day, count(*) AS answers FROM traces GROUP BY ALL)
SELECT day, word, count(*) AS held_back, any_value(answers) AS answers,
       round(count(*) / any_value(answers), 4) AS share
FROM words JOIN days USING (day)
GROUP BY ALL
ORDER BY day, held_back DESC, word;
