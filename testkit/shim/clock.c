/* The wall clock plus an offset, in nanoseconds, that the test changes while the server runs. */

#define _GNU_SOURCE
#include "shim.h"

#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

#define NANOS_PER_SECOND INT64_C(1000000000)

static int (*real_clock_gettime)(clockid_t, struct timespec *);
static const _Atomic int64_t *offset;

__attribute__((constructor)) static void find_clock(void)
{
    /* Not a system call for every reading: that costs ten times as much. */
    real_clock_gettime = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
    offset = shared_numbers("SNOWFLAKE_CLOCK", 1);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    /* Other libraries may ask before the constructor has run. */
    int result = real_clock_gettime != NULL ? real_clock_gettime(clock, now)
                                            : (int) syscall(SYS_clock_gettime, clock, now);
    if (result != 0 || offset == NULL || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return result;
    int64_t nanos = now->tv_sec * NANOS_PER_SECOND + now->tv_nsec
        + atomic_load_explicit(offset, memory_order_relaxed);
    now->tv_sec = nanos / NANOS_PER_SECOND;
    now->tv_nsec = nanos % NANOS_PER_SECOND;
    if (now->tv_nsec < 0) {
        now->tv_sec -= 1;
        now->tv_nsec += NANOS_PER_SECOND;
    }
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void) zone;
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now != NULL)
        *now = precise.tv_sec;
    return precise.tv_sec;
}
