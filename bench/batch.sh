#!/usr/bin/env bash
# 10,000 IDs by one call, against 10,000 single calls: those of one statement, and of one each.
. "$(dirname "$0")/lib.sh"
ids=10000
statements=100

# IDs a second of a script of pgbench's that makes $2 of them.
rate() {
    echo "$1" >"$OUT/batch.sql"
    pgbench -n -M prepared -f "$OUT/batch.sql" -c 1 -t "$3" 2>/dev/null |
        awk -v ids="$2" '/^tps = / { printf "%.0f\n", $3 * ids }'
}

sql -c 'CREATE EXTENSION IF NOT EXISTS pg_snowflake'
for _ in $(seq "$rounds"); do
    batch=$(rate "SELECT snowflake_nextval_batch($ids) OFFSET $ids;" "$ids" "$statements")
    one=$(rate "SELECT snowflake_nextval() FROM generate_series(1, $ids) OFFSET $ids;" "$ids" "$statements")
    each=$(rate 'SELECT snowflake_nextval();' 1 "$ids")
    echo "  IDs a second: batch $batch, single calls in one statement $one, in one each $each" >&2
    ratio "$batch" "$one" 2 >>"$OUT/batch-one"
    ratio "$batch" "$each" 0 >>"$OUT/batch-each"
done
missed=0
row 'IDs a second of `snowflake_nextval_batch(10000)`, against 10,000 single calls in one statement' \
    "$(median <"$OUT/batch-one")" '>=' 3 || missed=1
row 'the same, against 10,000 statements' "$(median <"$OUT/batch-each")" '>=' 3 || missed=1
exit "$missed"
