-- Text forms: the published pair of TSID, the ends, and some in between.
SELECT snowflake_to_base32(id), snowflake_to_base62(id)
FROM (VALUES (0::bigint), (1), (31), (32), (61), (62), (38390726480144748), (353470125371392000),
    (9223372036854775807)) AS ids (id);
SELECT snowflake_from_base32('0123456789ABC'), snowflake_from_base62('0Q6tbmA3UgK');
-- Case-insensitive, and forgiving where Crockford is.
SELECT snowflake_from_base32('7zzzzzzzzzzzz'), snowflake_from_base32('OOOOOOOOOOOIl'), snowflake_from_base32('ooooooooooo1L');
-- There and back, and in the order of the numbers.
SELECT count(*), bool_and(snowflake_from_base32(snowflake_to_base32(id)) = id) AS base32,
    bool_and(snowflake_from_base62(snowflake_to_base62(id)) = id) AS base62,
    bool_and(length(snowflake_to_base32(id)) = 13 AND length(snowflake_to_base62(id)) = 11) AS fixed_width
FROM (SELECT (random() * 9223372036854774784)::bigint >> (n % 63) AS id FROM generate_series(1, 10000) AS n) AS ids;
SELECT bool_and(by_number = by_base32 AND by_number = by_base62) AS same_order FROM (
    SELECT rank() OVER (ORDER BY id) AS by_number,
        rank() OVER (ORDER BY snowflake_to_base32(id) COLLATE "C") AS by_base32,
        rank() OVER (ORDER BY snowflake_to_base62(id) COLLATE "C") AS by_base62
    FROM (SELECT (random() * 9223372036854774784)::bigint >> (n % 63) AS id FROM generate_series(1, 10000) AS n) AS ids
) AS ranks;
SELECT snowflake_to_base32(NULL), snowflake_from_base32(NULL), snowflake_to_base62(NULL), snowflake_from_base62(NULL);
-- JSON, with the ID as a text that JavaScript does not round.
SELECT snowflake_decode_jsonb(353470125371392000);
SELECT snowflake_decode_jsonb(NULL);
-- Refused.
\set VERBOSITY default
SELECT snowflake_from_base32('');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_from_base32('0123456789ABCD');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_from_base32('0123456789AB-');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_from_base32('0123456U89ABC');
SELECT snowflake_from_base32('0123456789aé');
SELECT snowflake_from_base32('8000000000000');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_from_base62('0Q6tbmA3Ug');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_from_base62('0Q6tbmA3Ug_');
SELECT snowflake_from_base62('AzL8n0Y58m8');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_from_base62(repeat('A', 1000000));
SELECT snowflake_to_base32(-1);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_to_base62(-9223372036854775808);
SELECT snowflake_decode_jsonb(-1);
\echo :LAST_ERROR_SQLSTATE
