#!/usr/bin/env bash
# COPY of a million rows: with the column default, and with IDs that the loader brings along, against bigserial.
# A volatile default other than nextval() switches COPY's multi-insert off.
. "$(dirname "$0")/lib.sh"
rows=1000000
export PGOPTIONS="$PGOPTIONS -c client_min_messages=warning"

sql -c 'CREATE EXTENSION IF NOT EXISTS pg_snowflake'
file=$(sql -c 'SHOW data_directory')/copy
sql -c "COPY (SELECT 'hi' FROM generate_series(1, $rows)) TO '$file'"

# Milliseconds for a table whose key is $1, from file $3 into columns $2.
copy() {
    sql -c 'DROP TABLE IF EXISTS t' -c "CREATE TABLE t (id $1 PRIMARY KEY, note text)" -c CHECKPOINT
    millis "COPY t ($2) FROM '$3'"
}

for _ in $(seq "$rounds"); do
    ours=$(copy 'bigint DEFAULT snowflake_nextval()' note "$file")
    # As a loader does it that takes its IDs first.
    sql -c "COPY (SELECT id, 'hi' FROM snowflake_nextval_batch($rows) AS id) TO '$file.ids'"
    brought=$(copy bigint 'id, note' "$file.ids")
    theirs=$(copy bigserial note "$file")
    echo "  copy: default $ours ms, IDs in the file $brought ms, bigserial $theirs ms" >&2
    ratio "$ours" "$theirs" >>"$OUT/copy-default"
    ratio "$brought" "$theirs" >>"$OUT/copy-brought"
done
missed=0
row 'time of `COPY` of 1,000,000 rows with the default, against `bigserial`' \
    "$(median <"$OUT/copy-default")" '<=' 1.3 || missed=1
row 'the same with IDs in the file, from a batch' "$(median <"$OUT/copy-brought")" '<=' 1 || missed=1
exit "$missed"
