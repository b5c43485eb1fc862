#!/usr/bin/env bash
# CPU time that a witnessed row takes on top of a trigger that does nothing. Its IDs are another server's, each greater
# than all before it. Rows are skipped then: to store them takes several times as long, and never the same time.
. "$(dirname "$0")/lib.sh"
rows=1000000
library=$OUT/triggers.so
cc -O2 -shared -fPIC -I"$(pg_config --includedir-server)" -o "$library" bench/triggers.c
chmod 755 "$OUT" "$library"

# Milliseconds of CPU time, as the server says.
insert() {
    sql -c "CREATE OR REPLACE TRIGGER first BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION $1"
    sql -c 'SET log_executor_stats = on' -c 'SET client_min_messages = log' -c "
        INSERT INTO t SELECT snowflake_encode(now() + n / 4096 * interval '1 ms', 1, 2, n % 4096)
        FROM generate_series(0, $rows - 1) AS n" 2>&1 |
        awk '/ s user, / && !seen++ { print ($2 + $5) * 1000 }'
}

sql -c 'CREATE EXTENSION IF NOT EXISTS pg_snowflake' -c 'CREATE TABLE t (id bigint)' \
    -c "CREATE FUNCTION empty_trigger() RETURNS trigger LANGUAGE c AS '$library'" \
    -c "CREATE FUNCTION skip_row() RETURNS trigger LANGUAGE c AS '$library'" \
    -c 'CREATE TRIGGER then_skip BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION skip_row()'
for _ in $(seq "$rounds"); do
    ours=$(insert "snowflake_witness('id')")
    empty=$(insert 'empty_trigger()')
    echo "  insert: snowflake_witness $ours ms, empty trigger $empty ms" >&2
    echo "$ours $empty"
done >"$OUT/witness"
sql -c 'SELECT witnessed, raises, too_far_ahead FROM snowflake_status()' >&2
# The least of all rounds, as whatever comes in between only adds to it.
cost=$(awk -v rows="$rows" '
    { if (!ours || $1 < ours) ours = $1; if (!empty || $2 < empty) empty = $2 }
    END { printf "%d\n", (ours - empty) * 1e6 / rows }' "$OUT/witness")
row 'CPU time of a witnessed row, less that of an empty trigger in C, ns' "$cost" '<=' 100
