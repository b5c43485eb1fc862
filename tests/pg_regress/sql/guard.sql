-- Rows with this server's identity (datacenter 1, machine 1) that it has not issued, as they arrive.
CREATE FUNCTION of_a_twin(hours int) RETURNS bigint LANGUAGE sql
    RETURN snowflake_encode('2090-01-01 00:00:00+00'::timestamptz + make_interval(hours => hours), 1, 1, 0);
CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), note text);
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION snowflake_guard();
ALTER TABLE orders ENABLE ALWAYS TRIGGER guard;
-- Its own IDs, those of others and of the past pass, whatever the role of the session.
INSERT INTO orders (note) SELECT 'own' FROM generate_series(1, 1000);
SET session_replication_role = replica;
INSERT INTO orders (note) VALUES ('own');
INSERT INTO orders VALUES (snowflake_encode(now() + interval '1 hour', 1, 2, 0), 'of another'), (-1, 'no ID');
-- One of its identity from the future does not go unnoticed, and passes all the same.
INSERT INTO orders VALUES (of_a_twin(1), 'of a twin');
SELECT count(*) FROM orders;
RESET session_replication_role;
-- Or is refused, if the trigger says so.
CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error');
INSERT INTO orders VALUES (of_a_twin(2), 'of a twin');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO orders (note) VALUES ('own');
SELECT count(*), count(*) FILTER (WHERE note = 'of a twin') AS of_a_twin FROM orders;
-- An UPDATE that leaves the ID alone is none of its business, whatever columns it names.
UPDATE orders SET note = note || ' still', id = id WHERE note = 'of a twin';
UPDATE orders SET id = id + 1 WHERE note = 'of a twin still';
UPDATE orders SET id = of_a_twin(3) WHERE id = -1;
UPDATE orders SET id = snowflake_nextval() WHERE id = -1;
-- Also where the ID is set by another trigger, which no list of columns tells.
CREATE FUNCTION misdate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.id := of_a_twin(4); RETURN NEW; END';
CREATE TRIGGER before_guard BEFORE UPDATE OF note ON orders FOR EACH ROW EXECUTE FUNCTION misdate();
UPDATE orders SET note = 'misdated' WHERE note = 'of another';
DROP TRIGGER before_guard ON orders;
DROP FUNCTION misdate();
-- The column can be named, and is found in a partition too.
CREATE TABLE logs (at timestamptz, "Id" bigint) PARTITION BY RANGE ("Id");
CREATE TABLE logs_all (extra int, "Id" bigint, at timestamptz);
ALTER TABLE logs_all DROP COLUMN extra;
ALTER TABLE logs ATTACH PARTITION logs_all DEFAULT;
CREATE TRIGGER guard AFTER INSERT ON logs FOR EACH ROW EXECUTE FUNCTION snowflake_guard('Id', 'ERROR');
INSERT INTO logs VALUES (now(), snowflake_nextval()), (now(), NULL);
INSERT INTO logs VALUES (now(), of_a_twin(1));
-- A row that an UPDATE moves to another partition is not new either; one with its ID in another table is.
CREATE TABLE jobs (id bigint, state text, PRIMARY KEY (id, state)) PARTITION BY LIST (state);
CREATE TABLE jobs_new PARTITION OF jobs FOR VALUES IN ('new');
CREATE TABLE jobs_old PARTITION OF jobs DEFAULT;
INSERT INTO jobs SELECT of_a_twin(n), 'new' FROM generate_series(1, 3) AS n;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error', 'id');
UPDATE jobs SET state = 'old';
UPDATE jobs SET state = 'new', id = id + 1;
INSERT INTO jobs VALUES (of_a_twin(4), 'new');
BEGIN;
UPDATE jobs SET state = 'new' WHERE id = of_a_twin(1);
SAVEPOINT before;
INSERT INTO orders VALUES (of_a_twin(1), 'of a twin');
ROLLBACK TO before;
COMMIT;
SELECT state, count(*) FROM jobs GROUP BY state ORDER BY state;
DROP TABLE jobs;
-- A key may be deferrable, have columns of its index beside it, or be a domain's; one of a partition is the table's.
CREATE DOMAIN order_id AS bigint;
CREATE TABLE lenient (note text, id order_id PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, other bigint UNIQUE);
CREATE TABLE covering (other bigint UNIQUE, id bigint, PRIMARY KEY (id) INCLUDE (other));
CREATE TABLE parted (other bigint, id bigint PRIMARY KEY DEFERRABLE) PARTITION BY RANGE (id);
CREATE TABLE parted_all (id bigint NOT NULL, other bigint);
ALTER TABLE parted ATTACH PARTITION parted_all DEFAULT;
CREATE TRIGGER guard BEFORE INSERT ON lenient FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error');
CREATE TRIGGER guard BEFORE INSERT ON covering FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error');
CREATE TRIGGER guard BEFORE INSERT ON parted FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error');
INSERT INTO lenient (id, other) VALUES (snowflake_nextval(), of_a_twin(1));
INSERT INTO lenient (id) VALUES (of_a_twin(1));
INSERT INTO covering (id, other) VALUES (snowflake_nextval(), of_a_twin(1));
INSERT INTO covering (id) VALUES (of_a_twin(1));
INSERT INTO parted (id, other) VALUES (snowflake_nextval(), of_a_twin(1));
INSERT INTO parted (id) VALUES (of_a_twin(1));
ALTER TABLE lenient REPLICA IDENTITY FULL;
ALTER TABLE lenient ENABLE REPLICA TRIGGER guard;
SET session_replication_role = replica;
INSERT INTO lenient (id) VALUES (snowflake_nextval());
INSERT INTO lenient (id) VALUES (of_a_twin(1));
RESET session_replication_role;
-- An inherited table has a guard and a key of its own, or none.
CREATE TABLE heirs () INHERITS (lenient);
INSERT INTO heirs (id) VALUES (of_a_twin(1));
CREATE TRIGGER guard BEFORE INSERT ON heirs FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error');
INSERT INTO heirs (id) VALUES (of_a_twin(2));
CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON heirs FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error', 'id');
INSERT INTO heirs (id) VALUES (of_a_twin(2));
DROP TABLE heirs, lenient, covering, parted;
DROP DOMAIN order_id;
-- What the message says.
\set VERBOSITY default
DO $$
DECLARE detail text; hint text;
BEGIN
    INSERT INTO orders VALUES (of_a_twin(5));
EXCEPTION WHEN integrity_constraint_violation THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE WARNING USING MESSAGE = SQLERRM, HINT = hint,
        DETAIL = regexp_replace(detail, 'next ID is \d+', 'next ID is N');
END $$;
\set VERBOSITY terse
-- A column is named as it is, in double quotes if it is called like a level.
CREATE TABLE odd ("error" bigint, "a ""column""" bigint, small int, "e=mc²" bigint);
CREATE TRIGGER guard BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error', '"error"');
INSERT INTO odd ("error") VALUES (of_a_twin(1));
CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION snowflake_guard('"a ""column"""', 'error');
INSERT INTO odd ("error") VALUES (of_a_twin(1));
INSERT INTO odd VALUES (1, of_a_twin(1));
CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION snowflake_guard('a "column"', 'error');
INSERT INTO odd VALUES (1, of_a_twin(1));
CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION snowflake_guard('e=mc²', 'error');
INSERT INTO odd ("e=mc²") VALUES (of_a_twin(1));
-- Arguments that are none.
\set VERBOSITY default
CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION snowflake_guard('eror');
INSERT INTO odd DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION snowflake_guard('"warning"');
INSERT INTO odd DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error', '');
INSERT INTO odd DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION snowflake_guard('ctid');
INSERT INTO odd DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION snowflake_guard('warning', '"error"', 'Error');
INSERT INTO odd DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION snowflake_guard('e=mc²', '"error"');
INSERT INTO odd DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION snowflake_guard('small');
INSERT INTO odd DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION snowflake_guard();
INSERT INTO odd DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
DROP TABLE odd;
-- Columns without a value yet.
CREATE TABLE computed (id bigint GENERATED ALWAYS AS (n + 0) STORED PRIMARY KEY, n bigint);
CREATE TRIGGER guard BEFORE INSERT ON computed FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error');
INSERT INTO computed (n) VALUES (snowflake_nextval());
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER guard ON computed;
CREATE TRIGGER guard AFTER INSERT OR UPDATE ON computed FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error');
INSERT INTO computed (n) VALUES (snowflake_nextval());
\set VERBOSITY terse
INSERT INTO computed (n) VALUES (of_a_twin(1));
UPDATE computed SET n = of_a_twin(1);
DROP TABLE computed;
-- Triggers that are none for it.
\set VERBOSITY default
SELECT snowflake_guard();
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
CREATE TRIGGER guard_of_none AFTER INSERT ON orders EXECUTE FUNCTION snowflake_guard('id');
INSERT INTO orders DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER guard_of_none AFTER INSERT ON orders REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION snowflake_guard('id');
INSERT INTO orders DEFAULT VALUES;
CREATE OR REPLACE TRIGGER guard_of_none BEFORE TRUNCATE ON orders EXECUTE FUNCTION snowflake_guard('id');
TRUNCATE orders;
CREATE OR REPLACE TRIGGER guard_of_none BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION snowflake_guard();
DELETE FROM orders;
DROP TRIGGER guard_of_none ON orders;
CREATE VIEW all_orders AS SELECT * FROM orders;
CREATE TRIGGER guard INSTEAD OF INSERT OR UPDATE OR DELETE ON all_orders FOR EACH ROW EXECUTE FUNCTION snowflake_guard('id');
INSERT INTO all_orders DEFAULT VALUES;
\echo :LAST_ERROR_SQLSTATE
UPDATE all_orders SET note = '';
DELETE FROM all_orders;
DROP VIEW all_orders;
-- Triggers that are one: with the new rows as a table, and deferred to the end of the transaction.
CREATE TRIGGER guard_with_table AFTER INSERT ON orders REFERENCING NEW TABLE AS new_rows
    FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error', 'id');
CREATE CONSTRAINT TRIGGER guard_at_end AFTER INSERT OR UPDATE ON orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error');
DROP TRIGGER guard ON orders;
INSERT INTO orders DEFAULT VALUES;
INSERT INTO orders VALUES (of_a_twin(6));
DROP TRIGGER guard_with_table ON orders;
BEGIN;
INSERT INTO orders VALUES (of_a_twin(6));
COMMIT;
\echo :LAST_ERROR_SQLSTATE
-- Whose table it is, and that is all it takes.
CREATE ROLE regress_snowflake_user;
GRANT CREATE ON SCHEMA public TO regress_snowflake_user;
SET ROLE regress_snowflake_user;
CREATE TABLE theirs (id bigint PRIMARY KEY);
CREATE TRIGGER guard BEFORE INSERT ON theirs FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error');
INSERT INTO theirs VALUES (snowflake_nextval());
INSERT INTO theirs VALUES (of_a_twin(1));
RESET ROLE;
DROP TABLE theirs;
REVOKE CREATE ON SCHEMA public FROM regress_snowflake_user;
DROP ROLE regress_snowflake_user;
DROP TABLE orders, logs;
DROP FUNCTION of_a_twin(int);
