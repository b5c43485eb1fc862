#!/usr/bin/env bash
# Slow calls: 10,000,000 of them over 30 s, with the keeper extending the lease beside them, and as many
# of clock_timestamp() in between, which shows what the machine itself does to a call. A tenth of a second apart: the
# keeper lets a lease end that is not in use, and the first call after that waits for the next one, as it should.
. "$(dirname "$0")/lib.sh"
seconds=30
calls=33334

# Prints how many calls of a function took more than a millisecond.
slow() {
    echo "SELECT '$1', count(*) FILTER (WHERE after - before > interval '1 ms') FROM (
        SELECT clock_timestamp() AS before, $1, clock_timestamp() AS after
        FROM generate_series(1, $calls) OFFSET 0) AS call;"
}

sql -c 'CREATE EXTENSION IF NOT EXISTS pg_snowflake' -c 'SELECT snowflake_nextval()' >"$OUT/tail"
for tenth in $(seq "$((seconds * 10))"); do
    slow 'snowflake_nextval()'
    slow 'clock_timestamp()'
    echo "SELECT pg_sleep(extract(epoch FROM timestamptz :'start' + $tenth * interval '0.1 s' - clock_timestamp()));"
done >"$OUT/tail.sql"
{ echo "SELECT clock_timestamp() AS start \\gset"; cat "$OUT/tail.sql"; } | sql >"$OUT/tail"
total() { awk -F '|' -v name="$1" '$1 == name { n += $2 } END { print n + 0 }' "$OUT/tail"; }
ours=$(total 'snowflake_nextval()')
base=$(total 'clock_timestamp()')
echo "  slower than 1 ms: snowflake_nextval $ours, clock_timestamp $base, of $((seconds * 10 * calls)) each" >&2
row 'calls slower than 1 ms of 10,000,000 over 30 s, less those of `clock_timestamp()`' \
    "$((ours - base))" '<=' 5
