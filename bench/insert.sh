#!/usr/bin/env bash
# INSERT ... SELECT of a million rows with the column default, against bigserial.
. "$(dirname "$0")/lib.sh"
rows=1000000

insert() {
    sql -c "DROP TABLE IF EXISTS t" -c "CREATE TABLE t (id $1 PRIMARY KEY, note text)" -c CHECKPOINT
    millis "INSERT INTO t (note) SELECT 'hi' FROM generate_series(1, $rows)"
}

sql -c 'CREATE EXTENSION IF NOT EXISTS pg_snowflake' -c 'SET client_min_messages = warning'
export PGOPTIONS="$PGOPTIONS -c client_min_messages=warning"
for _ in $(seq "$rounds"); do
    ours=$(insert 'bigint DEFAULT snowflake_nextval()')
    theirs=$(insert bigserial)
    echo "  insert: snowflake_nextval $ours ms, bigserial $theirs ms" >&2
    ratio "$ours" "$theirs"
done >"$OUT/insert"
row 'time of `INSERT ... SELECT` of 1,000,000 rows, against `bigserial`' \
    "$(median <"$OUT/insert")" '<=' 0.95
