/*
 * Preloaded into a server under test (LD_PRELOAD), this stands between it and the system: it gives
 * the server a wall clock of its own (clock.c) and a disk that fails on demand and tells what it has
 * made durable (disk.c). The other side is src/shim.rs.
 */

#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Noreturn void give_up(const char *what)
{
    dprintf(STDERR_FILENO, "PANIC:  shim: %s: %s\n", what, strerror(errno));
    _exit(1);
}

_Atomic int64_t *shared_numbers(const char *variable, size_t count)
{
    const char *path = getenv(variable);
    if (path == NULL)
        return NULL;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        give_up(path);
    void *map = mmap(NULL, count * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        give_up(path);
    close(fd);
    return map;
}
