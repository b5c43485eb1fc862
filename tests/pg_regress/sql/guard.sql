-- Rows with this server's identity (datacenter 1, machine 1) that it has not issued, as they arrive.
CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), note text);
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION snowflake_guard();
ALTER TABLE orders ENABLE ALWAYS TRIGGER guard;
-- Its own IDs, those of others and of the past pass, whatever the role of the session.
INSERT INTO orders (note) SELECT 'own' FROM generate_series(1, 1000);
SET session_replication_role = replica;
INSERT INTO orders (note) VALUES ('own');
INSERT INTO orders VALUES (snowflake_encode(now() + interval '1 hour', 1, 2, 0), 'of another'), (-1, 'no ID');
-- One of its identity from the future does not go unnoticed, and passes all the same.
INSERT INTO orders VALUES (snowflake_encode(now() + interval '1 hour', 1, 1, 0), 'of a twin');
SELECT count(*) FROM orders;
UPDATE orders SET note = 'changed' WHERE note = 'of a twin';
RESET session_replication_role;
-- Or is refused, if the trigger says so.
CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error');
INSERT INTO orders VALUES (snowflake_encode(now() + interval '2 hours', 1, 1, 0), 'of a twin');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO orders (note) VALUES ('own');
SELECT count(*), count(*) FILTER (WHERE note = 'of a twin') AS of_a_twin FROM orders;
-- The column can be named, and is found in a partition too.
CREATE TABLE logs (at timestamptz, "Id" bigint) PARTITION BY RANGE ("Id");
CREATE TABLE logs_all PARTITION OF logs DEFAULT;
CREATE TRIGGER guard AFTER INSERT ON logs FOR EACH ROW EXECUTE FUNCTION snowflake_guard('Id', 'ERROR');
INSERT INTO logs VALUES (now(), snowflake_nextval()), (now(), NULL);
INSERT INTO logs VALUES (now(), snowflake_encode(now() + interval '1 hour', 1, 1, 0));
-- Misused.
\set VERBOSITY default
SELECT snowflake_guard();
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER guard AFTER INSERT ON logs FOR EACH ROW EXECUTE FUNCTION snowflake_guard();
INSERT INTO logs VALUES (now(), snowflake_nextval());
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER guard AFTER INSERT ON logs FOR EACH ROW EXECUTE FUNCTION snowflake_guard('nothing');
INSERT INTO logs VALUES (now(), snowflake_nextval());
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER guard AFTER INSERT ON logs FOR EACH ROW EXECUTE FUNCTION snowflake_guard('at');
INSERT INTO logs VALUES (now(), snowflake_nextval());
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE computed (id bigint GENERATED ALWAYS AS (n + 1) STORED PRIMARY KEY, n bigint);
CREATE TRIGGER guard BEFORE INSERT ON computed FOR EACH ROW EXECUTE FUNCTION snowflake_guard();
INSERT INTO computed (n) VALUES (snowflake_nextval());
\echo :LAST_ERROR_SQLSTATE
DROP TABLE computed;
DROP TRIGGER guard ON logs;
CREATE TRIGGER guard AFTER INSERT ON logs EXECUTE FUNCTION snowflake_guard('Id');
INSERT INTO logs VALUES (now(), snowflake_nextval());
\echo :LAST_ERROR_SQLSTATE
DROP TABLE logs;
DROP TRIGGER guard ON orders;
CREATE TRIGGER guard BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION snowflake_guard();
DELETE FROM orders WHERE id < 0;
\echo :LAST_ERROR_SQLSTATE
DROP TABLE orders;
