#!/usr/bin/env bash
# A disk whose fsync of the lease takes 3 s: what 4 clients notice of it, in turns with the same server when it does not.
. "$(dirname "$0")/lib.sh"
delay=3000
"$CARGO_TARGET_DIR/release/slow-disk" --delay "$delay" ${ROUNDS:+--rounds "$ROUNDS"} >"$OUT/slow-disk"
while read -r without with longest_without longest_with waited_for at_once; do
    echo "  calls a second: $without, with slow writes $with; longest, ms: $longest_without, $longest_with" >&2
    ratio "$with" "$without" >>"$OUT/slow-disk-ratio"
    # What the machine does to a call.
    echo "$longest_without" >>"$OUT/slow-disk-noise"
    echo "$waited_for" >>"$OUT/slow-disk-waited"
    echo "$at_once" >>"$OUT/slow-disk-at-once"
done < <(head -n -1 "$OUT/slow-disk")
most() { sort -n "$OUT/slow-disk-$1" | tail -n 1; }
longest=$(tail -n 1 "$OUT/slow-disk")
echo "  the longest call of all, ms: $longest, without slow writes $(most noise)" >&2
longer=$(awk -v all="$longest" -v noise="$(most noise)" 'BEGIN { print all - noise }')
missed=0
row 'calls a second of 4 clients while an fsync of the lease takes 3 s, against without' \
    "$(median <"$OUT/slow-disk-ratio")" '>=' 0.9 || missed=1
row 'the same: by how much the longest call is longer than without, against a write, the first slow one included' \
    "$(ratio "$longer" "$delay")" '<=' 1 || missed=1
row 'the same: writes that a session waited for, after the first' "$(most waited)" '<=' 0 || missed=1
row 'the same: writes under way at once' "$(most at-once)" '<=' 1 || missed=1
exit "$missed"
