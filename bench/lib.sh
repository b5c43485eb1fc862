# Shared by the measurements in this folder: they run beside a private server (PGHOST and so on lead
# there) and print one row of a Markdown table each, with the bar that the figure has to meet.
# Every figure is a ratio taken within a round, because these machines change speed from minute to
# minute; the median of the rounds counts.
set -euo pipefail
export PGOPTIONS='-c synchronous_commit=on -c jit=off'
rounds=${ROUNDS:-5}

sql() { psql -XqAt -v ON_ERROR_STOP=1 "$@"; }

# Milliseconds that a statement takes, as the client sees it.
millis() { sql -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'; }

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

ratio() { awk -v a="$1" -v b="$2" -v digits="${3:-3}" 'BEGIN { printf "%.*f\n", digits, a / b }'; }

# row WHAT FIGURE '<=' BAR: prints the row; the exit status says whether the bar is met.
row() {
    awk -v what="$1" -v figure="$2" -v how="$3" -v bar="$4" 'BEGIN {
        met = (how == "<=") ? figure <= bar : figure >= bar
        sub("<=", "at most", how); sub(">=", "at least", how)
        printf "| %s | %s | %s %s%s |\n", what, figure, how, bar, met ? "" : " **missed**"
        exit !met
    }'
}
