/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that ROCKPRESS_LOG_FILE and ROCKPRESS_STATS name. The folder may be one that others
 * write to, /tmp say, and the path may be anything: a pipe that nobody reads, a terminal, a disk.
 *
 *   - Regular files, pipes and character devices (a terminal, /dev/null) are written to. Folders,
 *     sockets and disks are refused.
 *   - Nothing waits for ever: a pipe without a reader is refused at once, and one that is full is
 *     waited for as long as the caller says. No SIGPIPE is raised.
 *   - No descriptor below 3 is used: where a program has closed its standard descriptors, what it
 *     writes there would be in the file.
 *
 * Thread rule: any thread.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_OUTPUT_FILE_H
#define ROCKPRESS_PLUGIN_CORE_OUTPUT_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Appends to the file, which is made if it is not there. A symbolic link is followed, as the
 * shell's
 * >> does. False if not all bytes could be written, with errno. */
bool rp_output_append(const char *path, const char *bytes, size_t n_bytes, int wait_ms);

/*
 * Replaces the file at once: a reader sees the old contents or the new ones. The new file is made
 * beside it, under a name that nobody can guess or have put there (O_EXCL), and then renamed. A
 * symbolic link to a regular file is replaced, not followed. A pipe or a character device is
 * written to, and so is what /dev and /proc have for a descriptor, such as /dev/stderr, whatever
 * file that is. False if not all bytes could be written, with errno.
 */
bool rp_output_replace(const char *path, const char *bytes, size_t n_bytes, int wait_ms);

#endif
