/* What the parts of the shim share. */

#ifndef SNOWFLAKE_SHIM_H
#define SNOWFLAKE_SHIM_H

#include <stddef.h>
#include <stdint.h>

/*
 * The file that the environment variable names, shared with the test that made it: `count` numbers.
 * NULL where the variable is not set. A file that cannot be had ends the process: a test that
 * believes in a shim that is not there proves nothing.
 */
_Atomic int64_t *shared_numbers(const char *variable, size_t count);

/* Ends the process, with a line that the tests look for in a server's log. */
_Noreturn void give_up(const char *what);

#endif
