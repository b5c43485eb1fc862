#!/usr/bin/env bash
# Calls a second of what takes IDs apart, puts them together and writes them, in one session: a scan of
# a million rows, all of which counts.
. "$(dirname "$0")/lib.sh"
calls=1000000

sql -c 'CREATE EXTENSION IF NOT EXISTS pg_snowflake' -c "
    CREATE UNLOGGED TABLE ids AS
    SELECT id, snowflake_timestamp(id) AS t, snowflake_to_base32(id) AS b32, snowflake_to_base62(id) AS b62
    FROM snowflake_nextval_batch($calls) AS id" -c 'VACUUM ANALYZE ids'

cost() { millis "SELECT count($1) FROM ids"; }

functions=(
    'snowflake_decode(id)'
    'snowflake_timestamp(id)'
    'snowflake_from_timestamp(t)'
    'snowflake_encode(t, 1, 1, 1)'
    'snowflake_to_base32(id)'
    'snowflake_from_base32(b32)'
    'snowflake_to_base62(id)'
    'snowflake_from_base62(b62)'
)
for _ in $(seq "$rounds"); do
    for function in "${functions[@]}"; do
        time=$(cost "$function")
        echo "  $calls times $function: $time ms" >&2
        awk -v calls="$calls" -v time="$time" 'BEGIN { printf "%.2f\n", calls / time / 1000 }' \
            >>"$OUT/functions-${function%%(*}"
    done
done
missed=0
for function in "${functions[@]}"; do
    row "million calls a second of \`$function\`, the scan included" \
        "$(median <"$OUT/functions-${function%%(*}")" '>=' 1 || missed=1
done
exit "$missed"
