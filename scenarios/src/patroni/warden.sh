# Run by warden.rs as `sh -c ... sh DIRECTORY`, with a pipe as its input whose other end only the
# process that made DIRECTORY holds. However that ends, so do all processes that work in DIRECTORY,
# and then DIRECTORY itself.
trap '' INT TERM HUP QUIT
read -r _

# The processes whose working directory is like $1.
working_in() {
    find /proc/[0-9]*/cwd -maxdepth 0 -lname "$1" -printf '%h\n' 2>/dev/null | cut -d / -f 3
}

# Patroni and etcd first, as Patroni would start its server again.
for _ in 1 2 3 4 5; do
    # Their own working directories are directly in it; the servers' are one deeper.
    for pid in $(working_in "$1/*"); do
        case $(readlink "/proc/$pid/cwd") in
            */data) ;;
            *) kill -KILL "$pid" 2>/dev/null ;;
        esac
    done
done
# An immediate shutdown, so that the servers take their shared memory with them.
for pid in $(working_in "$1/*/data"); do kill -QUIT "$pid" 2>/dev/null; done
i=0
# A killed process is gone as soon as the machine gets round to it.
while [ -n "$(working_in "$1/*")" ] && [ $i -lt 6000 ]; do
    sleep 0.05
    i=$((i + 1))
    [ $i -lt 60 ] || for pid in $(working_in "$1/*"); do kill -KILL "$pid" 2>/dev/null; done
done
# What a killed server could not take along is named in the seventh line of its lock file.
for lock in "$1"/*/data/postmaster.pid; do
    [ ! -e "$lock" ] || ipcrm -m "$(sed -n 7p "$lock" | awk '{ print $2 }')" 2>/dev/null
done
rm -rf "$1"
