/*
 * The file system calls that the lease depends on: every one can be made to fail, and those that
 * succeed are put on record.
 *
 * Only files whose name begins with "pg_snowflake.lease" are looked at, and fsyncs of the working
 * directory, which is the data directory in every process of a server. A record is one line:
 *
 *     <monotonic clock, ns> create NAME
 *     <monotonic clock, ns> write NAME
 *     <monotonic clock, ns> overwrite NAME OFFSET LENGTH
 *     <monotonic clock, ns> fsync NAME CONTENT        (in hexadecimal digits, - when empty)
 *     <monotonic clock, ns> rename FROM TO
 *     <monotonic clock, ns> fsync .
 *
 * It is written after the call has succeeded: what has a record had happened by that time.
 */

#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LEASE "pg_snowflake.lease"

/* As much of a file is put on record. */
#define MOST 8192

/* In the order of `Call` in src/shim.rs. */
enum call { OPEN_TO_READ, OPEN_TO_WRITE, WRITE, FSYNC, RENAME, FSYNC_DIRECTORY, CALLS };

/*
 * How calls fail: the errno (0: they do not return at all; -N: they take N milliseconds longer), how many more
 * times (-1: always), and how many times it has happened.
 */
struct fault {
    _Atomic int64_t error;
    _Atomic int64_t left;
    _Atomic int64_t hits;
};

static struct fault *faults;
static const char *records;

__attribute__((constructor)) static void find_disk(void)
{
    faults = (struct fault *) shared_numbers("SNOWFLAKE_FAULTS", CALLS * 3);
    const char *path = getenv("SNOWFLAKE_RECORDS");
    /* A copy: PostgreSQL writes its process titles over the environment. */
    if (path != NULL && (records = strdup(path)) == NULL)
        give_up(path);
}

/* With errno set, when it is to fail. */
static bool is_to_fail(enum call call)
{
    if (faults == NULL)
        return false;
    struct fault *fault = &faults[call];
    int64_t left = atomic_load(&fault->left);
    while (left != 0) {
        if (left < 0 || atomic_compare_exchange_weak(&fault->left, &left, left - 1)) {
            atomic_fetch_add(&fault->hits, 1);
            int error = (int) atomic_load(&fault->error);
            if (error < 0) {
                /* As a slow disk does, it waits whatever signals come. */
                struct timespec time = { -error / 1000, -error % 1000 * 1000000L };
                while (nanosleep(&time, &time) != 0)
                    ;
                return false;
            }
            /* Signals interrupt it. */
            while (error == 0)
                poll(NULL, 0, -1);
            errno = error;
            return true;
        }
    }
    return false;
}

__attribute__((format(printf, 1, 2))) static void put_on_record(const char *format, ...)
{
    if (records == NULL)
        return;
    int saved_errno = errno;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    char line[2 * MOST + PATH_MAX];
    int length = snprintf(line, sizeof line, "%lld%09ld ", (long long) now.tv_sec, now.tv_nsec);
    va_list arguments;
    va_start(arguments, format);
    length += vsnprintf(line + length, sizeof line - length, format, arguments);
    va_end(arguments);
    line[length++] = '\n';
    /* One write, so that lines of two processes do not mix. */
    int fd = open(records, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0 || write(fd, line, length) != length)
        give_up(records);
    close(fd);
    errno = saved_errno;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static bool is_lease(const char *path)
{
    return strncmp(file_name(path), LEASE, strlen(LEASE)) == 0;
}

/* A path through which the kernel reaches the open file, whatever has become of its name. */
struct link { char path[32]; };

static struct link link_to(int fd)
{
    struct link link;
    snprintf(link.path, sizeof link.path, "/proc/self/fd/%d", fd);
    return link;
}

/* Whether a lease file is open as `fd`; if so, its present path. */
static bool is_lease_open(int fd, char path[PATH_MAX])
{
    if (faults == NULL && records == NULL)
        return false;
    int saved_errno = errno;
    ssize_t length = readlink(link_to(fd).path, path, PATH_MAX - 1);
    errno = saved_errno;
    if (length < 0)
        return false;
    path[length] = '\0';
    return is_lease(path);
}

static bool is_data_directory(int fd)
{
    if (faults == NULL && records == NULL)
        return false;
    struct stat file, directory;
    int saved_errno = errno;
    bool known = fstat(fd, &file) == 0 && S_ISDIR(file.st_mode) && stat(".", &directory) == 0;
    errno = saved_errno;
    return known && file.st_dev == directory.st_dev && file.st_ino == directory.st_ino;
}

/* Up to 8,192 bytes of an open file in hexadecimal digits. */
struct content { char digits[2 * MOST + 1]; };

static struct content content_of(int fd)
{
    struct content content = { "-" };
    unsigned char bytes[MOST];
    /* The server itself may have it open for writing only. */
    int again = open(link_to(fd).path, O_RDONLY | O_CLOEXEC);
    ssize_t length = again < 0 ? -1 : read(again, bytes, sizeof bytes);
    if (length < 0)
        give_up("reading the lease");
    close(again);
    for (ssize_t i = 0; i < length; i++)
        snprintf(content.digits + 2 * i, 3, "%02x", bytes[i]);
    return content;
}

static int open_at(int directory, const char *path, int flags, mode_t mode)
{
    bool lease = is_lease(path);
    bool to_write = (flags & O_ACCMODE) != O_RDONLY;
    if (lease && is_to_fail(to_write ? OPEN_TO_WRITE : OPEN_TO_READ))
        return -1;
    int fd = (int) syscall(SYS_openat, directory, path, flags, mode);
    if (lease && fd >= 0 && (flags & (O_TRUNC | O_EXCL)) != 0)
        put_on_record("create %s", file_name(path));
    return fd;
}

/* The third argument of open() is there only when a file may be created. */
#define MODE(flags)                                                                               \
    ({                                                                                            \
        mode_t mode = 0;                                                                          \
        if (((flags) & O_CREAT) != 0 || ((flags) & O_TMPFILE) == O_TMPFILE) {                     \
            va_list arguments;                                                                    \
            va_start(arguments, flags);                                                           \
            mode = va_arg(arguments, mode_t);                                                     \
            va_end(arguments);                                                                    \
        }                                                                                         \
        mode;                                                                                     \
    })

int open(const char *path, int flags, ...)
{
    return open_at(AT_FDCWD, path, flags, MODE(flags));
}

int open64(const char *path, int flags, ...)
{
    return open_at(AT_FDCWD, path, flags, MODE(flags));
}

int openat(int directory, const char *path, int flags, ...)
{
    return open_at(directory, path, flags, MODE(flags));
}

int openat64(int directory, const char *path, int flags, ...)
{
    return open_at(directory, path, flags, MODE(flags));
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    char path[PATH_MAX];
    bool lease = is_lease_open(fd, path);
    if (lease && is_to_fail(WRITE))
        return -1;
    ssize_t result = syscall(SYS_write, fd, bytes, length);
    if (lease && result >= 0)
        put_on_record("write %s", file_name(path));
    return result;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    char path[PATH_MAX];
    bool lease = is_lease_open(fd, path);
    if (lease && is_to_fail(WRITE))
        return -1;
    ssize_t result = syscall(SYS_pwrite64, fd, bytes, length, offset);
    if (lease && result >= 0)
        put_on_record("overwrite %s %lld %zd", file_name(path), (long long) offset, result);
    return result;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    return pwrite64(fd, bytes, length, offset);
}

static int sync_file(long number, int fd)
{
    char path[PATH_MAX];
    if (is_lease_open(fd, path)) {
        if (is_to_fail(FSYNC))
            return -1;
        /* Read before: what is written meanwhile may or may not be durable. */
        struct content content = content_of(fd);
        int result = (int) syscall(number, fd);
        if (result == 0)
            put_on_record("fsync %s %s", file_name(path), content.digits);
        return result;
    }
    if (is_data_directory(fd)) {
        if (is_to_fail(FSYNC_DIRECTORY))
            return -1;
        int result = (int) syscall(number, fd);
        if (result == 0)
            put_on_record("fsync .");
        return result;
    }
    return (int) syscall(number, fd);
}

int fsync(int fd)
{
    return sync_file(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return sync_file(SYS_fdatasync, fd);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    bool lease = is_lease(to);
    if (lease && is_to_fail(RENAME))
        return -1;
    int result = (int) syscall(SYS_renameat2, from_directory, from, to_directory, to, 0);
    if (lease && result == 0)
        put_on_record("rename %s %s", file_name(from), file_name(to));
    return result;
}

int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}
