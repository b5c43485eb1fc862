#!/usr/bin/env bash
# Endless load on the default layout: the share of 4,096 IDs per millisecond that callers get, how far
# the ID clock is ahead, and the CPU that callers use, against the same IDs taken without waiting.
. "$(dirname "$0")/lib.sh"
ids=100000
seconds=${SECONDS_PER_RUN:-4}

# Prints the statements per second of 16 clients, the seconds of CPU they used per statement and, half
# way through, the drift.
load() {
    local before after
    before=$(cpu)
    pgbench -n -f "$OUT/paced.sql" -c 16 -j 2 -T "$seconds" >"$OUT/paced.log" 2>&1 &
    sleep "$((seconds / 2)).5"
    drift >"$OUT/drift"
    wait
    after=$(cpu)
    awk -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" '
        /^number of transactions actually processed/ { n = $NF; sub("/.*", "", n) }
        /^tps = / { tps = $3 }
        END { printf "%.3f %.6f ", tps, ticks / hz / n }' "$OUT/paced.log"
    cat "$OUT/drift"
}

# CPU ticks of all sessions so far, with those that have ended: the postmaster has waited for them.
cpu() { awk '{ print $14 + $15 + $16 + $17 }' "/proc/$(head -n 1 "$PGDATA/postmaster.pid")/stat"; }

drift() {
    sql -c "SELECT round(extract(epoch FROM id_time - clock_timestamp()) * 1000)
            FROM snowflake_decode(snowflake_nextval())"
}

sql -c 'CREATE EXTENSION IF NOT EXISTS pg_snowflake'
echo "SELECT count(snowflake_nextval()) FROM generate_series(1, $ids);" >"$OUT/paced.sql"
read -r _ free _ < <(seconds=1 load)
until [ "$(tail -n 1 "$OUT/drift")" -ge 4990 ]; do load >/dev/null; done
for _ in $(seq "$rounds"); do
    read -r tps cpu ahead < <(load)
    echo "  paced: $tps statements a second, $cpu s of CPU each (not paced: $free), $ahead ms ahead" >&2
    awk -v tps="$tps" -v ids="$ids" 'BEGIN { printf "%.4f\n", tps * ids / 4096000 }' >>"$OUT/share"
    ratio "$cpu" "$free" >>"$OUT/cpu"
    echo "$ahead" >>"$OUT/ahead"
done
row 'endless load, 16 clients: share of 4,096 IDs a millisecond' "$(median <"$OUT/share")" '>=' 0.99
row 'the same: ID clock ahead of the wall clock, ms (`max_drift` 5,000)' \
    "$(sort -n "$OUT/ahead" | tail -n 1)" '<=' 5005
row 'the same: CPU per ID, against not being paced' "$(median <"$OUT/cpu")" '<=' 1.25
