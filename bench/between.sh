#!/usr/bin/env bash
# One hour of 10,000,000 rows by snowflake_between, against the range of IDs written by hand.
. "$(dirname "$0")/lib.sh"
rows=10000000
hour="'2026-02-01 12:00+00', '2026-02-01 13:00+00'"

# On a server that issues.
sql -c 'CREATE EXTENSION IF NOT EXISTS pg_snowflake' -c 'CREATE TEMPORARY TABLE issued AS SELECT snowflake_nextval()' -c "
    CREATE UNLOGGED TABLE events AS
    SELECT snowflake_encode(timestamptz '2026-01-01 00:00+00' + n * interval '500 ms', 1, 1, 0) AS id, n AS note
    FROM generate_series(1, $rows) AS n" \
    -c 'ALTER TABLE events ADD PRIMARY KEY (id)' -c 'VACUUM ANALYZE events'
read -r from to < <(sql -F ' ' -c \
    "SELECT snowflake_from_timestamp(t[1]), snowflake_from_timestamp(t[2]) FROM (SELECT array[$hour]::timestamptz[]) AS w (t)")
between="snowflake_between(id, $hour)"
by_hand="id >= $from AND id < $to"

plan() { sql -c "EXPLAIN (COSTS OFF) SELECT sum(note) FROM events WHERE $1"; }
[ "$(plan "$between")" = "$(plan "$by_hand")" ] || {
    echo "the plans differ" >&2
    exit 1
}
# The two take turns, each statement planned anew, so that both meet the same noise.
statements=200
for _ in $(seq "$statements"); do
    echo "SELECT sum(note) FROM events WHERE $between;"
    echo "SELECT sum(note) FROM events WHERE $by_hand;"
done >"$OUT/between.sql"
for _ in $(seq "$rounds"); do
    sql -c '\timing on' -f "$OUT/between.sql" | awk -v statements="$statements" '
        /^Time: / { time[n++ % 2] += $2 }
        END {
            printf "  %d windows: snowflake_between %.1f ms, by hand %.1f ms\n", statements, time[0], time[1] >"/dev/stderr"
            printf "%.3f\n", time[0] / time[1]
        }'
done >"$OUT/between"
row 'an hour of 10,000,000 rows by `snowflake_between`, against the range of IDs by hand' \
    "$(median <"$OUT/between")" '<=' 1.05
