#!/usr/bin/env bash
# What a call costs on top of the cheapest function there is, against nextval.
. "$(dirname "$0")/lib.sh"
calls=1000000

cost() { millis "SELECT $1 FROM generate_series(1, $calls) OFFSET $calls"; }

sql -c 'CREATE EXTENSION IF NOT EXISTS pg_snowflake' -c 'CREATE SEQUENCE s'
for _ in $(seq "$rounds"); do
    base=$(cost 'pg_backend_pid()')
    ours=$(cost 'snowflake_nextval()')
    theirs=$(cost "nextval('s')")
    echo "  pg_backend_pid $base ms, snowflake_nextval $ours ms, nextval $theirs ms" >&2
    awk -v base="$base" -v ours="$ours" -v theirs="$theirs" \
        'BEGIN { printf "%.3f\n", (ours - base) / (theirs - base) }'
done >"$OUT/net-cost"
row 'net cost of a call, against `nextval`' "$(median <"$OUT/net-cost")" '<=' 0.20
