#!/usr/bin/env bash
# Instructions of a call, counted by callgrind: repeatable to the digit where times are not. Runs no server:
# PostgreSQL's single-user mode executes `SELECT count(f()) FROM generate_series(1, n)` for two n, and the
# difference is what a row costs.
. "$(dirname "$0")/lib.sh"
few=1000
many=21000
home=$OUT/instructions
mkdir -p "$home"
chmod 755 "$OUT" "$home"
[ -z "${SERVER_USER:-}" ] || chown "$SERVER_USER" "$home"

as_server() { (cd "$home" && ${SERVER_USER:+runuser -u "$SERVER_USER" --} "$@"); }

single() { as_server "$@" "$(command -v postgres)" --single -D "$home/data" postgres >"$home/out" 2>"$home/err"; }

# Instructions that a statement takes, the start of the server included.
count() {
    single valgrind --tool=callgrind --callgrind-out-file=/dev/null <<<"$1" || { cat "$home/err" >&2; exit 1; }
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$home/err"
}

# The same for each row of a statement that has $n of them.
each() {
    local n=$few base
    base=$(count "$(eval "echo \"$1\"")")
    n=$many
    echo $((($(count "$(eval "echo \"$1\"")") - base) / (many - few)))
}

as_server initdb --no-sync --auth=trust --username=postgres --encoding=UTF8 --no-locale -D "$home/data" >"$home/out"
cat pgrx-conf/postgresql.conf >>"$home/data/postgresql.conf"
echo "pg_snowflake.max_drift = '1h'" >>"$home/data/postgresql.conf"
single <<<'CREATE EXTENSION pg_snowflake'

base=$(each 'SELECT count(pg_backend_pid()) FROM generate_series(1, $n)')
ours=$(each 'SELECT count(snowflake_nextval()) FROM generate_series(1, $n)')
series=$(each 'SELECT count(id) FROM generate_series(1::bigint, $n) AS id')
# Long ago; and each a millisecond later than the one before, so that it moves the ID clock. Each statement has minutes
# of its own, ahead of the wall clock.
later=$((($(date +%s%3N) - $(date -d 2024-01-01T00:00:00Z +%s%3N)) << 22))
later="$later + (\$n * 100 + id) * 4194304"
ids='FROM generate_series(1::bigint, $n) AS id'
one=$(each "SELECT count(+id) $ids")
below=$(each "SELECT count(snowflake_nextval(after => id)) $ids")
sum=$(each "SELECT count(+($later)) $ids")
above=$(each "SELECT count(snowflake_nextval(after => $later)) $ids")
batch=$(each 'SELECT count(id) FROM snowflake_nextval_batch($n) AS id')
echo "  instructions a row: pg_backend_pid $base, snowflake_nextval $ours" >&2
echo "  instructions a row: generate_series $series, snowflake_nextval_batch $batch" >&2
missed=0
row 'instructions of a call, less those of `pg_backend_pid()`' $((ours - base)) '<=' 133 || missed=1
times() { ratio "$(($1 - $2))" $((ours - base)) 2; }
echo "  instructions a row: + $one and $sum, snowflake_nextval(after) $below and $above" >&2
row 'instructions of `snowflake_nextval(after)`, against `snowflake_nextval()`' "$(times "$below" "$one")" '<=' 1.5 ||
    missed=1
row 'the same where it moves the ID clock' "$(times "$above" "$sum")" '<=' 1.5 || missed=1
row "instructions of a batch's row, less those of \`generate_series()\`" $((batch - series)) '<=' 45 || missed=1
exit "$missed"
