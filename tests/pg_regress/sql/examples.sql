-- The examples of the table of functions in docs/reference.md, in its order; a test in testkit/src/bin/regress.rs compares the two.
SET timezone = 'UTC';
CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), note text);
INSERT INTO orders SELECT snowflake_nextval_batch(3), 'hi';
INSERT INTO orders SELECT snowflake_nextval(after => id), 'a reply' FROM orders LIMIT 1;
SELECT snowflake_reserve(50) AS first \gset
SELECT snowflake_id() > :first + 49 AS greater;
SELECT snowflake_raise(353470125371392000);
SELECT snowflake_timestamp(353470125371392000);
SELECT snowflake_from_timestamp('2026-09-02 09:24:05.045+00');
SELECT count(*) FROM orders WHERE snowflake_between(id, now() - interval '1 hour', now() + interval '1 hour');
SELECT snowflake_encode('2026-09-02 09:24:05.045+00', 28, 24, 0);
SELECT * FROM snowflake_decode(353470125371392000);
SELECT * FROM snowflake_decode(175928847299117063, '2015-01-01 00:00:00+00', 5, 5, 12);
SELECT snowflake_decode_jsonb(353470125371392000);
SELECT snowflake_to_base32(353470125371392000);
SELECT snowflake_from_base32('09sy76k6qkooo');
SELECT snowflake_to_base62(353470125371392000);
SELECT snowflake_from_base62('0Q6tbmA3UgK');
CREATE TABLE logs (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), note text) PARTITION BY RANGE (id);
SELECT snowflake_create_partition('logs', '2026-11-01 00:00+00', '2026-12-01 00:00+00');
-- Which ones these are depends on the day.
CREATE TABLE created AS SELECT snowflake_create_partitions('logs', '1 month', 3);
CREATE TABLE invoices (id serial PRIMARY KEY, note text);
INSERT INTO invoices (note) VALUES ('before');
SELECT snowflake_adopt('invoices');
INSERT INTO invoices (note) VALUES ('after');
SELECT note, id > 1 AS is_new FROM invoices ORDER BY id;
SELECT machine, ids, this_node, not_issued FROM snowflake_audit('orders', 'id');
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION snowflake_guard();
INSERT INTO orders VALUES (snowflake_encode(now() + interval '1 minute', 1, 1, 0), 'of a twin');
CREATE TRIGGER witness BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION snowflake_witness();
INSERT INTO orders VALUES (snowflake_encode(now(), 1, 2, 0), 'of another');
SELECT datacenter, machine, error FROM snowflake_status();
DROP TABLE orders, logs, invoices, created;
