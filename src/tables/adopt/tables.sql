-- The tables to be locked, as OIDs, the adopted one first.
SELECT rel::text FROM changed GROUP BY rel ORDER BY bool_or(adopted) DESC, rel
