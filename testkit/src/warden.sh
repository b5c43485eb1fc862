# Run by warden.rs as `sh -c ... sh DIRECTORY`, with a pipe as its input whose other end only the
# process that made DIRECTORY holds. However that ends, so do all processes that work in DIRECTORY,
# and then DIRECTORY itself.
trap '' INT TERM HUP QUIT
read -r _

working() {
    find /proc/[0-9]*/cwd -maxdepth 0 -lname "$1/*" -printf '%h\n' 2>/dev/null | cut -d / -f 3
}

# SIGQUIT is PostgreSQL's immediate shutdown, which takes its shared memory along, and ends most other
# programs. Again and again, as one that still runs may have started another.
i=0
while pids=$(working "$1") && [ -n "$pids" ] && [ $i -lt 6000 ]; do
    signal=QUIT
    [ $i -lt 60 ] || signal=KILL
    for pid in $pids; do kill -s $signal "$pid" 2>/dev/null; done
    sleep 0.05
    i=$((i + 1))
done
# What a killed server could not take along is named in the seventh line of its lock file.
for lock in "$1"/*/data/postmaster.pid; do
    [ ! -e "$lock" ] || ipcrm -m "$(sed -n 7p "$lock" | awk '{ print $2 }')" 2>/dev/null
done
rm -rf "$1"
