-- The main job.
CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), note text);
INSERT INTO orders (note) SELECT 'hi' FROM generate_series(1, 3);
SELECT count(*), count(DISTINCT id) FROM orders;
-- An ID carries the node of this server and the time of its birth.
SELECT datacenter, machine, clock_timestamp() - id_time BETWEEN '0' AND '1 minute' AS just_now
FROM orders, snowflake_decode(id) LIMIT 1;
-- Increasing, far beyond one millisecond's worth.
SELECT bool_and(id > before) AS increasing FROM (
    SELECT id, lag(id) OVER (ORDER BY n) AS before
    FROM (SELECT n, snowflake_nextval() AS id FROM generate_series(1, 100000) AS n) AS taken
) AS pairs;
-- By a name that no tool takes for a sequence's, from the same counter.
SELECT snowflake_nextval() < snowflake_id() AS below, snowflake_id() < snowflake_nextval() AS above;
CREATE TABLE fixtures (id bigint PRIMARY KEY DEFAULT snowflake_id());
INSERT INTO fixtures DEFAULT VALUES RETURNING machine(snowflake_decode(id));
DROP TABLE fixtures;
-- A read-only transaction may take IDs: they change no data.
BEGIN READ ONLY;
SELECT snowflake_nextval() > max(id) AS greater FROM orders;
COMMIT;
-- REVOKE works as on any function.
CREATE ROLE regress_snowflake_user;
REVOKE EXECUTE ON FUNCTION snowflake_nextval() FROM PUBLIC;
SET ROLE regress_snowflake_user;
SELECT snowflake_nextval();
SELECT machine FROM snowflake_decode(0);
RESET ROLE;
GRANT EXECUTE ON FUNCTION snowflake_nextval() TO PUBLIC;
DROP ROLE regress_snowflake_user;
DROP TABLE orders;
