/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard error, as it was when this library was loaded. Descriptor 2 belongs to the program: a
 * daemon closes it, and the next file that the program opens gets its number. That file may be the
 * WAL of a database, where a line of text destroys every record after it.
 *
 * So the file behind descriptor 2 is remembered when the library is loaded, and nothing is written
 * unless descriptor 2 is still that file. Between the check and the write, another thread may close
 * the descriptor: both are done on a duplicate, which stays the same file. The duplicate lives for
 * one call; one that stayed would keep a terminal, a pipe or a connection open.
 *
 * A socket that is standard input too, or one that is not of the local host, is the connection of a
 * service that inetd started: the text would go to its client. It counts as no standard error.
 *
 * Thread rule: any thread. Leaves errno as it was.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_STANDARD_ERROR_H
#define ROCKPRESS_PLUGIN_CORE_STANDARD_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes n_bytes and returns true; or false if standard error is not what it was, or did not take
 * all of them. Waits for a reader that does not keep up for at most wait_ms milliseconds. Raises no
 * SIGPIPE. Up to PIPE_BUF (4096) bytes do not mix with those of other writers.
 */
bool rp_standard_error_write(const char *bytes, size_t n_bytes, int wait_ms);

/* The same on any descriptor, without the question what it is. One that was opened with O_NONBLOCK
 * never takes longer than it says here. */
bool rp_write_to_reader(int descriptor, const char *bytes, size_t n_bytes, int wait_ms);

#endif
