-- Everything that snowflake_adopt() refuses, and that it changes nothing then.
\set VERBOSITY default
CREATE SCHEMA adopt;
SET search_path = adopt, public;
CREATE ROLE regress_snowflake_owner;
GRANT USAGE, CREATE ON SCHEMA adopt TO regress_snowflake_owner;

-- Arguments.
SELECT snowflake_adopt(NULL);
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE t (id serial PRIMARY KEY, n int, note text, pair point);
SELECT snowflake_adopt('t', dry_run => NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt(0::regclass);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt(4294967295::regclass);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('t', 'missing');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('t', '');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('t', 'ctid');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('t', 'note');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE t DROP COLUMN n;
SELECT snowflake_adopt('t', '........pg.dropped.2........');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE t;

-- What is no table of the user's.
CREATE VIEW v AS SELECT 1 AS id;
SELECT snowflake_adopt('v', 'id');
\echo :LAST_ERROR_SQLSTATE
CREATE MATERIALIZED VIEW m AS SELECT 1 AS id;
SELECT snowflake_adopt('m', 'id');
\echo :LAST_ERROR_SQLSTATE
CREATE SEQUENCE s;
SELECT snowflake_adopt('s');
\echo :LAST_ERROR_SQLSTATE
CREATE TYPE composite AS (id int);
SELECT snowflake_adopt('composite', 'id');
\echo :LAST_ERROR_SQLSTATE
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE f (id int) SERVER nowhere;
SELECT snowflake_adopt('f', 'id');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('pg_class', 'relpages');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('information_schema.sql_features', 'feature_id');
\echo :LAST_ERROR_SQLSTATE
DROP FOREIGN TABLE f;
DROP TYPE composite;
DROP SEQUENCE s;
DROP MATERIALIZED VIEW m;
DROP VIEW v;

-- No key of one column; types that are not integers; domains.
CREATE TABLE t (a int, b int);
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE t ADD PRIMARY KEY (a, b);
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE t;
CREATE TABLE t (id numeric(20) PRIMARY KEY);
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE t;
CREATE DOMAIN number AS int CHECK (VALUE > 0);
CREATE TABLE t (id number PRIMARY KEY);
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE t;
CREATE TABLE t (id serial PRIMARY KEY);
CREATE TABLE u (t_id number REFERENCES t);
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE u, t;
DROP DOMAIN number;

-- Generated columns.
CREATE TABLE t (n int, id int GENERATED ALWAYS AS (n + 1) STORED);
SELECT snowflake_adopt('t', 'id');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE t ADD UNIQUE (n);
CREATE TABLE u (n int, t_n int GENERATED ALWAYS AS (n) STORED REFERENCES t (n));
ALTER TABLE t DROP id;
SELECT snowflake_adopt('t', 'n');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE u, t;

-- Ownership: of the table, and of every table that would change.
CREATE TABLE t (id serial PRIMARY KEY);
SET ROLE regress_snowflake_owner;
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('pg_class');
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE own (id serial PRIMARY KEY);
RESET ROLE;
REVOKE EXECUTE ON FUNCTION snowflake_nextval() FROM PUBLIC;
SET ROLE regress_snowflake_owner;
SELECT snowflake_adopt('own');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT snowflake_adopt('own', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
GRANT EXECUTE ON FUNCTION snowflake_nextval() TO PUBLIC;
SET ROLE regress_snowflake_owner;
CREATE TABLE own_too (own_id int PRIMARY KEY REFERENCES own);
GRANT REFERENCES ON own, own_too TO postgres;
RESET ROLE;
CREATE TABLE bs_own (own_id int REFERENCES own_too);
CREATE TABLE wide_enough (own_id bigint REFERENCES own);
SET ROLE regress_snowflake_owner;
SELECT snowflake_adopt('own');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DROP TABLE bs_own;
SET ROLE regress_snowflake_owner;
SELECT snowflake_adopt('own');
RESET ROLE;
DROP TABLE wide_enough, own_too, own, t;

-- A value that is not below the next ID.
CREATE TABLE t (id bigserial PRIMARY KEY);
INSERT INTO t VALUES (-5), (9223372036854775807);
\set VERBOSITY terse
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
UPDATE t SET id = snowflake_nextval() WHERE id > 0;
SELECT snowflake_adopt('t', dry_run => true);
UPDATE t SET id = snowflake_nextval() + (1::bigint << 40) WHERE id > 0;
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE t;
-- In a partition, or in a table that inherits.
CREATE TABLE p (id bigint) PARTITION BY LIST (id);
CREATE TABLE p1 PARTITION OF p DEFAULT;
INSERT INTO p VALUES (9223372036854775807);
SELECT snowflake_adopt('p', 'id');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE p;
CREATE TABLE p (id bigserial PRIMARY KEY);
CREATE TABLE c () INHERITS (p);
INSERT INTO c VALUES (9223372036854775807);
SELECT snowflake_adopt('p');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE c, p;
-- Behind row-level security, which here binds the owner.
\set VERBOSITY default
SET ROLE regress_snowflake_owner;
CREATE TABLE t (id bigserial PRIMARY KEY);
INSERT INTO t VALUES (9223372036854775807);
ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT count(*) FROM t;
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
ALTER TABLE t NO FORCE ROW LEVEL SECURITY;
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
RESET ROLE;
DROP TABLE t;

-- What inherits: the parent is the one to adopt or to widen.
CREATE TABLE p (id serial PRIMARY KEY);
CREATE TABLE c (PRIMARY KEY (id)) INHERITS (p);
SELECT snowflake_adopt('c');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE c, p;
CREATE TABLE p (id serial PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 1, REMAINDER 0) PARTITION BY HASH (id);
CREATE TABLE p11 PARTITION OF p1 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT snowflake_adopt('p11');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE p;
CREATE TABLE t (id serial PRIMARY KEY);
CREATE TABLE p (t_id int);
CREATE TABLE c (FOREIGN KEY (t_id) REFERENCES t) INHERITS (p);
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE c, p;
CREATE TABLE other (id int);
CREATE TABLE c (id int) INHERITS (t, other);
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE c, other;
CREATE TABLE p1 (t_id int REFERENCES t);
CREATE TABLE p2 (t_id int REFERENCES t);
CREATE TABLE c () INHERITS (p1, p2);
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE c NO INHERIT p2;
SELECT snowflake_adopt('t');
ALTER TABLE c INHERIT p2;
DROP TABLE c, p2, p1, t;

-- Columns of partition keys, typed tables and foreign tables that would have to be widened.
CREATE TABLE p (id serial, PRIMARY KEY (id)) PARTITION BY HASH (id);
SELECT snowflake_adopt('p');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE p;
CREATE TABLE t (id serial PRIMARY KEY);
CREATE TABLE p (t_id int REFERENCES t, n int) PARTITION BY LIST (n);
CREATE TABLE p1 PARTITION OF p DEFAULT PARTITION BY RANGE (abs(t_id));
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE p;
CREATE TYPE typed AS (t_id int);
CREATE TABLE u OF typed;
ALTER TABLE u ADD FOREIGN KEY (t_id) REFERENCES t;
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE u;
DROP TYPE typed;
CREATE FOREIGN TABLE f () INHERITS (t) SERVER nowhere;
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
DROP FOREIGN TABLE f;

-- What depends on a column that has to be widened, be it of a table that references it.
CREATE TABLE u (t_id int PRIMARY KEY REFERENCES t, n int);
CREATE VIEW v AS SELECT n FROM u WHERE t_id > 0;
CREATE MATERIALIZED VIEW m AS SELECT id FROM t;
CREATE RULE r AS ON DELETE TO t DO ALSO SELECT old.id;
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT max(id) FROM t; END;
CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER named BEFORE UPDATE OF t_id ON u FOR EACH ROW EXECUTE FUNCTION fired();
CREATE TRIGGER conditional BEFORE UPDATE ON u FOR EACH ROW WHEN (new.t_id > 5) EXECUTE FUNCTION fired();
CREATE TRIGGER harmless BEFORE UPDATE ON u FOR EACH ROW EXECUTE FUNCTION fired();
CREATE POLICY mine ON t USING (id > 0);
ALTER TABLE u ADD computed int GENERATED ALWAYS AS (t_id + 1) STORED;
SET client_min_messages = error;
CREATE PUBLICATION filtered FOR TABLE t WHERE (id > 0);
CREATE PUBLICATION listed FOR TABLE u (t_id);
CREATE PUBLICATION harmless FOR TABLE t, u;
SET client_min_messages = warning;
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
DROP PUBLICATION filtered, listed, harmless;
ALTER TABLE u DROP computed;
DROP POLICY mine ON t;
DROP TRIGGER named ON u;
DROP TRIGGER conditional ON u;
DROP FUNCTION f();
DROP RULE r ON t;
DROP MATERIALIZED VIEW m;
DROP VIEW v;
-- Without them it works.
SELECT snowflake_adopt('t', dry_run => true);
-- The table's row type, directly or not.
CREATE TYPE wrapped AS (field u[]);
CREATE FOREIGN TABLE foreign_uses (field wrapped) SERVER nowhere;
CREATE VIEW only_a_view AS SELECT u FROM u;
CREATE TABLE uses (field wrapped);
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE uses;
DROP FOREIGN TABLE foreign_uses;
SELECT snowflake_adopt('t', dry_run => true);
DROP VIEW only_a_view;
DROP TYPE wrapped;
DROP TABLE u, t;
-- An index of a partitioned table by way of a partition.
CREATE TABLE p (id serial, n int, PRIMARY KEY (id, n)) PARTITION BY LIST (n);
CREATE TABLE p1 PARTITION OF p DEFAULT;
CREATE TABLE u (p1_id int, p1_n int, FOREIGN KEY (p1_id, p1_n) REFERENCES p1);
SELECT snowflake_adopt('p', 'id');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE u, p;

-- What PostgreSQL could not make anew for a bigint: functions and operators of int, in all places; operator
-- classes; defaults. A dry run says the same, and everything is named.
CREATE FUNCTION of_int(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n';
CREATE FUNCTION either(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN n; END';
CREATE FUNCTION either(n bigint) RETURNS bigint STABLE LANGUAGE plpgsql AS 'BEGIN RETURN n; END';
CREATE FUNCTION other(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n';
CREATE FUNCTION other(n bigint) RETURNS point IMMUTABLE LANGUAGE sql AS 'SELECT point(n, n)';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq, COMMUTATOR = ===);
CREATE OPERATOR CLASS int_only FOR TYPE int USING hash AS OPERATOR 1 ===, FUNCTION 1 hashint4(int);
CREATE TYPE amount AS (n int);
CREATE FUNCTION to_int(amount) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1.n';
CREATE CAST (amount AS int) WITH FUNCTION to_int(amount) AS ASSIGNMENT;
CREATE TABLE t (id serial PRIMARY KEY, n int,
    CONSTRAINT function_of_int CHECK (of_int(id) > 0), CONSTRAINT operator_of_int CHECK (id === n),
    CONSTRAINT array_of_int CHECK (ARRAY[n, 1] @> ARRAY[id, n]), CONSTRAINT built_in CHECK (chr(id) <> 'x'),
    CONSTRAINT of_other_column CHECK (of_int(n) > 0),
    CONSTRAINT range_of_int EXCLUDE USING gist (int4range(0, id) WITH &&),
    CONSTRAINT class_of_int EXCLUDE USING hash (id int_only WITH ===));
ALTER TABLE t ADD CONSTRAINT not_validated CHECK (of_int(id) > 1) NOT VALID;
CREATE TABLE u (t_id int DEFAULT ROW(1)::amount REFERENCES t, n int);
CREATE INDEX expression ON u (n, of_int(t_id));
CREATE INDEX predicate ON u (n) WHERE of_int(t_id) > 0;
CREATE INDEX not_immutable ON u (either(t_id));
CREATE INDEX predicate_not_immutable ON u (n) WHERE either(t_id) > 0;
CREATE INDEX no_class ON u (other(t_id));
CREATE INDEX class_named ON u USING brin (t_id int4_minmax_multi_ops);
CREATE INDEX harmless ON u (t_id int4_ops, of_int(n));
CREATE STATISTICS expressions ON n, of_int(t_id), other(t_id) FROM u;
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
SELECT attrelid::regclass, attname, atttypid::regtype FROM pg_attribute
WHERE attname IN ('id', 't_id') AND attrelid IN ('t'::regclass, 'u'::regclass);
DROP TABLE u, t;
-- In partitions and in tables that inherit, too.
CREATE TABLE p (id serial, n int) PARTITION BY LIST (n);
CREATE TABLE p1 PARTITION OF p DEFAULT;
CREATE INDEX ON p1 (of_int(id));
SELECT snowflake_adopt('p', 'id', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
DROP TABLE p;
-- A foreign key from what is only cast to int.
DROP CAST (amount AS int);
CREATE CAST (amount AS int) WITH FUNCTION to_int(amount) AS IMPLICIT;
CREATE TABLE t (id serial PRIMARY KEY);
CREATE TABLE u (t_id amount REFERENCES t);
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
DROP TABLE u, t;
DROP TYPE amount CASCADE;
DROP OPERATOR FAMILY int_only USING hash;
DROP OPERATOR === (int, int);
DROP FUNCTION other(int), other(bigint), either(int), either(bigint), of_int;

-- An identity is dropped with its sequence: not if something uses that.
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE u (n bigint DEFAULT nextval('t_id_seq'));
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE u;
CREATE FUNCTION names_it() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RETURN currval('t_id_seq'); END$$;
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
DROP FUNCTION names_it;
DROP TABLE t;

-- Where no ID fits: checks, of one column and of several, in whatever inherits or references it.
CREATE TABLE t (id serial PRIMARY KEY CHECK (id BETWEEN 1 AND 2000000000));
CREATE TABLE inherits (n int, CHECK (id < 1000 AND n > 0), CHECK (id < 1000 OR n > 0)) INHERITS (t);
CREATE TABLE refers (t_id int REFERENCES t CONSTRAINT few_digits CHECK (length(t_id::text) < 10));
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE refers, inherits, t;
-- Expressions without a value for it.
CREATE TABLE t (id bigserial PRIMARY KEY, half int GENERATED ALWAYS AS (id / 2) STORED,
    CONSTRAINT days CHECK (id * interval '1 day' > '0'));
CREATE INDEX narrow ON t ((id::int));
CREATE INDEX narrow_where ON t (id) WHERE id::int > 5;
CREATE INDEX harmless ON t ((id::int)) WHERE id < 1000000;
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
DROP TABLE t;
-- Beside other columns, too; with them, it is said that it was not tried.
CREATE TABLE t (id bigserial PRIMARY KEY, x int, sum int GENERATED ALWAYS AS (id::int + x) STORED,
    CONSTRAINT order_of_both CHECK (id::int >= x));
CREATE INDEX of_both ON t ((id::int - x));
CREATE INDEX where_the_other ON t ((id::int)) WHERE x > 0;
CREATE INDEX of_the_other ON t (id, abs(x));
SET client_min_messages = notice;
SELECT snowflake_adopt('t', dry_run => true);
SET client_min_messages = warning;
CREATE INDEX beside ON t (x, (id::int));
CREATE INDEX included ON t ((id::int)) INCLUDE (x);
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
DROP TABLE t;
-- Partitions.
CREATE TABLE p (id bigserial) PARTITION BY RANGE ((id / 1000));
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (1000);
SET client_min_messages = notice;
SELECT snowflake_adopt('p', 'id', dry_run => true);
SET client_min_messages = warning;
DROP TABLE p;
CREATE TABLE p (id bigserial, n int) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (20000000);
SELECT snowflake_adopt('p', 'id', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('p', 'id');
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE p2 PARTITION OF p DEFAULT PARTITION BY RANGE (n, id);
CREATE TABLE p21 PARTITION OF p2 FOR VALUES FROM (0, 0) TO (10, 0) PARTITION BY LIST (id);
CREATE TABLE p211 PARTITION OF p21 FOR VALUES IN (1, 2, 3);
SELECT snowflake_adopt('p', 'id', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
DROP TABLE p;
CREATE TABLE t (id bigserial PRIMARY KEY);
CREATE TABLE p (t_id bigint REFERENCES t, n int) PARTITION BY RANGE (t_id, n);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0, 0) TO (20000000, 10);
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
DROP TABLE p, t;
-- A key that is a foreign key itself.
CREATE TABLE t (tenant int, id serial PRIMARY KEY, UNIQUE (tenant, id));
CREATE TABLE u (tenant int, id int PRIMARY KEY REFERENCES t, FOREIGN KEY (tenant, id) REFERENCES t (tenant, id));
SELECT snowflake_adopt('u', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
DROP TABLE u, t;

-- A superuser who tries another role's table runs none of that role's code.
SET ROLE regress_snowflake_owner;
CREATE FUNCTION trap(bigint) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'called as %', current_user; END$$;
CREATE FUNCTION chr(bigint) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'called as %', current_user; END$$;
CREATE TABLE t (id bigserial PRIMARY KEY, CONSTRAINT own CHECK (trap(id)), CONSTRAINT path CHECK (chr(id) <> 'x'),
    CONSTRAINT side_effect CHECK (query_to_xml('SELECT 1/' || (id - id), true, true, '') IS NOT NULL));
CREATE INDEX ON t (trap(id));
RESET ROLE;
SET client_min_messages = notice;
SELECT snowflake_adopt('t', dry_run => true);
SET client_min_messages = warning;
DROP TABLE t;
DROP FUNCTION trap, chr(bigint);

-- Rights that PostgreSQL asks for on the way, which an owner may lack.
CREATE SCHEMA closed;
GRANT USAGE, CREATE ON SCHEMA closed TO regress_snowflake_owner;
SET ROLE regress_snowflake_owner;
CREATE TABLE t (id serial PRIMARY KEY);
CREATE TABLE closed.u (t_id int REFERENCES t);
RESET ROLE;
REVOKE USAGE ON SCHEMA closed FROM regress_snowflake_owner;
SET ROLE regress_snowflake_owner;
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DROP SCHEMA closed CASCADE;
CREATE TABLE theirs (id bigint PRIMARY KEY);
GRANT REFERENCES ON theirs TO regress_snowflake_owner;
SET ROLE regress_snowflake_owner;
CREATE TABLE u (t_id int REFERENCES t CONSTRAINT second REFERENCES theirs);
RESET ROLE;
REVOKE REFERENCES ON theirs FROM regress_snowflake_owner;
SET ROLE regress_snowflake_owner;
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT REFERENCES (id) ON theirs TO regress_snowflake_owner;
SET ROLE regress_snowflake_owner;
SELECT snowflake_adopt('t');
RESET ROLE;
DROP TABLE u, theirs, t;

-- A refusal ends no more than its savepoint, and has changed nothing, not even in a table before it.
CREATE TABLE t (id serial PRIMARY KEY);
CREATE TABLE u (t_id int REFERENCES t);
CREATE VIEW v AS SELECT * FROM u;
BEGIN;
SAVEPOINT s;
SELECT snowflake_adopt('t');
ROLLBACK TO s;
SELECT attrelid::regclass, attname, atttypid::regtype FROM pg_attribute
WHERE attname IN ('id', 't_id') AND attrelid IN ('t'::regclass, 'u'::regclass);
INSERT INTO t DEFAULT VALUES RETURNING id;
COMMIT;
DROP VIEW v;
-- Only reading happens in a report: neither locks nor changes.
BEGIN READ ONLY;
SELECT snowflake_adopt('t', dry_run => true);
SELECT DISTINCT mode FROM pg_locks WHERE relation IN ('t'::regclass, 'u'::regclass);
COMMIT;
-- What PostgreSQL itself refuses.
\set VERBOSITY terse
BEGIN READ ONLY;
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
DECLARE cursor CURSOR FOR SELECT * FROM t;
FETCH cursor;
SAVEPOINT s;
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO s;
SELECT snowflake_adopt('t');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION fired();
INSERT INTO t DEFAULT VALUES;
SELECT snowflake_adopt('t', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
SELECT snowflake_adopt('t') FROM t;
\echo :LAST_ERROR_SQLSTATE
DROP TABLE u, t;
DROP FOREIGN DATA WRAPPER nothing CASCADE;
DROP SCHEMA adopt CASCADE;
DROP ROLE regress_snowflake_owner;
