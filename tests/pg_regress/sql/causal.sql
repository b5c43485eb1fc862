-- server: pg_snowflake.max_drift=1h
-- IDs that are greater than others, whichever server has issued those. This one is datacenter 1, machine 1.
SELECT date_trunc('second', now()) AS start \gset
CREATE FUNCTION of_machine(machine int, minutes int, sequence int DEFAULT 4095) RETURNS bigint LANGUAGE sql
    RETURN snowflake_encode(current_setting('test.start')::timestamptz + make_interval(mins => minutes), 1, machine, sequence);
SET test.start = :'start';
-- An ID that is passed on: its own, one of the past, and ones of the future.
SELECT snowflake_nextval(after => id) > id AS greater FROM snowflake_nextval() AS id;
SELECT snowflake_nextval(of_machine(2, -1)) > of_machine(2, -1) AS greater;
-- Within a millisecond, IDs sort by node first: after one of a greater node comes the next millisecond.
CREATE TABLE taken (shown bigint, given bigint);
INSERT INTO taken VALUES (of_machine(2, 10), snowflake_nextval(after => of_machine(2, 10)));
INSERT INTO taken VALUES (of_machine(0, 20), snowflake_nextval(after => of_machine(0, 20)));
INSERT INTO taken VALUES (of_machine(1, 30, 7), snowflake_nextval(after => of_machine(1, 30, 7)));
INSERT INTO taken VALUES (of_machine(1, 40), snowflake_nextval(after => of_machine(1, 40)));
SELECT machine(snowflake_decode(shown)), given > shown AS greater,
    snowflake_timestamp(given) - snowflake_timestamp(shown) AS later, sequence(snowflake_decode(given))
FROM taken ORDER BY shown;
DROP TABLE taken;
-- NULL and negative numbers ask for nothing.
SELECT id > before AS increasing FROM snowflake_nextval() AS before, snowflake_nextval(after => NULL) AS id;
SELECT id > before AS increasing FROM snowflake_nextval() AS before, snowflake_nextval(after => -1) AS id;
-- The default without an argument is not ambiguous.
CREATE TABLE messages (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), reply_to bigint);
INSERT INTO messages DEFAULT VALUES;
INSERT INTO messages (id, reply_to) SELECT snowflake_nextval(after => id), id FROM messages;
SELECT count(*) FROM messages WHERE id > reply_to;
-- What is further ahead than load may be is refused, and the ID clock stays where it is.
SELECT drift < '41 minutes' AS near, raises, too_far_ahead FROM snowflake_status();
SELECT snowflake_nextval(of_machine(2, 110));
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_nextval(9223372036854775807);
SELECT drift < '41 minutes' AS near, raises, too_far_ahead FROM snowflake_status();
\set VERBOSITY default
DO $$
DECLARE detail text; hint text;
BEGIN
    PERFORM snowflake_nextval(snowflake_encode('2090-01-01 00:00:00+00', 1, 2, 0));
EXCEPTION WHEN datetime_field_overflow THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE WARNING USING MESSAGE = SQLERRM, HINT = hint,
        DETAIL = regexp_replace(detail, 'is at [^,]*,', 'is at NOW,');
END $$;
\set VERBOSITY terse
-- With a witness, IDs are greater than those of all rows that have come, whoever brings them.
CREATE TRIGGER witness BEFORE INSERT OR UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION snowflake_witness();
ALTER TABLE messages ENABLE ALWAYS TRIGGER witness;
SET session_replication_role = replica;
INSERT INTO messages VALUES (of_machine(2, 45));
RESET session_replication_role;
SELECT snowflake_nextval() > max(id) AS greater FROM messages;
UPDATE messages SET id = of_machine(2, 50) WHERE id = of_machine(2, 45);
SELECT snowflake_nextval() > max(id) AS greater FROM messages;
-- What is no ID, or one of the past, passes.
INSERT INTO messages VALUES (-1), (0), (of_machine(2, -1));
SELECT witnessed, raises, too_far_ahead FROM snowflake_status();
-- So does one that is too far ahead, with a warning.
INSERT INTO messages VALUES (snowflake_encode('2090-01-01 00:00:00+00', 1, 2, 0));
SELECT snowflake_nextval() < max(id) AS less, count(*) FROM messages;
SELECT witnessed, raises, too_far_ahead FROM snowflake_status();
-- The column is that of the primary key or the one that is named; a partition has the table's.
CREATE TABLE logs (at timestamptz, "Id" bigint) PARTITION BY RANGE (at);
CREATE TABLE logs_all (extra int, "Id" bigint, at timestamptz);
ALTER TABLE logs_all DROP COLUMN extra;
ALTER TABLE logs ATTACH PARTITION logs_all DEFAULT;
CREATE TRIGGER witness AFTER INSERT ON logs FOR EACH ROW EXECUTE FUNCTION snowflake_witness('Id');
INSERT INTO logs VALUES (now(), of_machine(2, 51)), (now(), NULL);
SELECT snowflake_nextval() > max("Id") AS greater FROM logs;
-- What was known of a table is forgotten when that changes.
DELETE FROM messages WHERE reply_to IS NULL;
ALTER TABLE messages DROP CONSTRAINT messages_pkey, ADD PRIMARY KEY (reply_to);
INSERT INTO messages VALUES (of_machine(2, 53), of_machine(2, 52));
SELECT snowflake_nextval() BETWEEN of_machine(2, 52) AND of_machine(2, 53) AS greater_than_the_key FROM messages;
CREATE OR REPLACE TRIGGER witness BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION snowflake_witness('"id"');
INSERT INTO messages VALUES (of_machine(2, 54), 1);
SELECT snowflake_nextval() > of_machine(2, 54) AS greater FROM messages LIMIT 1;
-- Arguments that are none, and calls.
\set VERBOSITY default
CREATE OR REPLACE TRIGGER witness BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION snowflake_witness('no');
INSERT INTO messages DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER witness BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION snowflake_witness('id', 'reply_to');
INSERT INTO messages DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER other BEFORE INSERT ON logs_all FOR EACH ROW EXECUTE FUNCTION snowflake_witness();
INSERT INTO logs_all DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER other BEFORE INSERT ON logs_all FOR EACH ROW EXECUTE FUNCTION snowflake_witness('at');
INSERT INTO logs_all DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_witness();
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
DROP TABLE messages, logs;
-- The administrator moves the ID clock as far as it takes, and never down.
SET client_min_messages = notice;
SELECT snowflake_raise(of_machine(2, 600));
SELECT snowflake_nextval() > of_machine(2, 600) AS greater;
SELECT snowflake_raise(0);
SELECT snowflake_raise(NULL);
SELECT snowflake_raise(-1);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_raise(9223372036854775807);
\echo :LAST_ERROR_SQLSTATE
SELECT drift BETWEEN '599 minutes' AND '601 minutes' AS ahead FROM snowflake_status();
-- An ID that is ahead of the wall clock, but not of the ID clock.
SELECT snowflake_nextval(after => of_machine(2, 590)) > of_machine(2, 600) AS greater;
-- No one else does, not the owner of the database either, who may install the extension.
CREATE ROLE regress_snowflake_monitor IN ROLE pg_monitor;
SET ROLE regress_snowflake_monitor;
SELECT snowflake_raise(0);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- A right to all functions is none to this one.
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO regress_snowflake_monitor;
SET ROLE regress_snowflake_monitor;
SELECT snowflake_raise(0);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- The ID clock is not raised to an ID of the far future.
\set VERBOSITY default
SELECT snowflake_raise(snowflake_encode('2090-01-01 00:00:00+00', 1, 2, 0));
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
DROP EXTENSION pg_snowflake CASCADE;
CREATE ROLE regress_snowflake_owner;
SELECT current_database() AS db \gset
GRANT CREATE ON DATABASE :"db" TO regress_snowflake_owner;
SET ROLE regress_snowflake_owner;
CREATE SCHEMA theirs;
CREATE EXTENSION pg_snowflake SCHEMA theirs;
SELECT theirs.snowflake_raise(0);
\echo :LAST_ERROR_SQLSTATE
GRANT EXECUTE ON FUNCTION theirs.snowflake_raise(bigint) TO regress_snowflake_owner;
SELECT theirs.snowflake_nextval(after => 1) > 1 AS issued;
RESET ROLE;
DROP SCHEMA theirs CASCADE;
REVOKE CREATE ON DATABASE :"db" FROM regress_snowflake_owner;
DROP ROLE regress_snowflake_monitor, regress_snowflake_owner;
CREATE EXTENSION pg_snowflake;
