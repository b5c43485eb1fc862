#!/usr/bin/env bash
# Throughput of 16 sessions at once, against nextval. The server has a sequence of 17 bits, so that
# no caller is paced: this measures the shared counter.
. "$(dirname "$0")/lib.sh"
ids=100000

rate() {
    echo "SELECT $1 FROM generate_series(1, $ids) OFFSET $ids;" >"$OUT/clients.sql"
    pgbench -n -f "$OUT/clients.sql" -c 16 -j 2 -T "${SECONDS_PER_RUN:-4}" 2>/dev/null |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}

sql -c 'CREATE EXTENSION IF NOT EXISTS pg_snowflake' -c 'CREATE SEQUENCE s'
for _ in $(seq "$rounds"); do
    ours=$(rate 'snowflake_nextval()')
    theirs=$(rate "nextval('s')")
    echo "  statements a second: snowflake_nextval $ours, nextval $theirs" >&2
    ratio "$ours" "$theirs"
done >"$OUT/clients"
row "throughput of 16 clients, $ids IDs a statement, against \`nextval\`" \
    "$(median <"$OUT/clients")" '>=' 2.2
