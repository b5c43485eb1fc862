-- IDs of other systems, taken apart by their epoch and widths.
SET timezone = 'UTC';
-- Twitter/X: the example of en.wikipedia.org/wiki/Snowflake_ID, 2022-06-28 16:07:40.105 UTC, machine 378 of
-- ten bits, which are datacenter 11 and worker 26 of five each.
SELECT * FROM snowflake_decode(1541815603606036480, '2010-11-04 01:42:54.657+00', 0, 10, 12);
SELECT * FROM snowflake_decode(1541815603606036480, '2010-11-04 01:42:54.657+00', 5, 5, 12);
-- Discord: the example of discord.com/developers/docs/reference#snowflakes, 2016-04-30 11:18:25.796 UTC,
-- worker 1, process 0, increment 7.
SELECT * FROM snowflake_decode(175928847299117063, '2015-01-01 00:00:00+00', 5, 5, 12);
-- Instagram-style: the parts of "Sharding & IDs at Instagram" (1387263000 ms, shard 1341, 5001 % 1024), put
-- together as it says, with the epoch of its PL/pgSQL.
SELECT * FROM snowflake_decode((1387263000::bigint << 23) | (1341 << 10) | (5001 % 1024),
    '2011-08-24 21:07:01.721+00', 0, 13, 10);
-- pgEdge: the time is that of the example in its docs/snowflake_functions.md, 2024-01-11 13:08:59.845-05. (The ID
-- was made when the extension still had node and count the other way round, so these differ.)
SELECT id_time FROM snowflake_decode(136169504773242881, '2023-01-01 00:00:00+00', 0, 10, 12);
SELECT * FROM snowflake_decode(136169504773242881, '2023-01-01 00:00:00+00', 12, 10, 0);
-- TSID: the example of tsid-creator's README, '0123456789ABC' of 2020-04-15 22:31:02.458 UTC.
SELECT id_time FROM snowflake_decode(snowflake_from_base32('0123456789ABC'), '2020-01-01 00:00:00+00', 0, 0, 22);
-- Its own, by its own layout.
SELECT snowflake_decode(353470125371392000, '2024-01-01 00:00:00+00', 5, 5, 12)
    = snowflake_decode(353470125371392000) AS same;
SELECT snowflake_decode(1, NULL, 5, 5, 12) IS NULL AS is_null;
-- Refused.
\set VERBOSITY default
SELECT snowflake_decode(-1, '2015-01-01 00:00:00+00', 5, 5, 12);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_decode(1, '2015-01-01 00:00:00+00', -1, 5, 12);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_decode(1, '2015-01-01 00:00:00+00', 5, 25, 0);
SELECT snowflake_decode(1, '2015-01-01 00:00:00+00', 5, 5, 15);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_decode(1, 'infinity', 5, 5, 12);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_decode(1, '2015-01-01 00:00:00.0005+00', 5, 5, 12);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_decode(9223372036854775807, '2015-01-01 00:00:00+00', 0, 0, 0);
\echo :LAST_ERROR_SQLSTATE
