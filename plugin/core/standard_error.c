/* SPDX-License-Identifier: Apache-2.0 */
/* Standard error as it was at load: see core/standard_error.h. */
#include "plugin/core/standard_error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What is the same for one file and for no two. A number of an inode is used again when its file is
 * deleted; the time when the file was made tells the two apart, where the file system knows it. */
typedef struct file_identity {
    bool is_known;
    uint32_t device_major, device_minor, type;
    uint64_t inode;
    int64_t born_s;
    uint32_t born_ns;
} file_identity;

static file_identity at_load;

static file_identity identify(int descriptor)
{
    file_identity identity = {0};
    struct statx status;

    if (statx(descriptor, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO | STATX_BTIME, &status) != 0)
        return identity;
    identity.is_known = true;
    identity.device_major = status.stx_dev_major;
    identity.device_minor = status.stx_dev_minor;
    identity.type = status.stx_mode & S_IFMT;
    identity.inode = status.stx_ino;
    if ((status.stx_mask & STATX_BTIME) != 0) {
        identity.born_s = status.stx_btime.tv_sec;
        identity.born_ns = status.stx_btime.tv_nsec;
    }
    return identity;
}

static bool is_same(const file_identity *a, const file_identity *b)
{
    return a->is_known && b->is_known && a->device_major == b->device_major &&
           a->device_minor == b->device_minor && a->type == b->type && a->inode == b->inode &&
           a->born_s == b->born_s && a->born_ns == b->born_ns;
}

/* A service of inetd has its connection as standard input, output and error. */
static bool is_connection(const file_identity *error)
{
    file_identity input;
    int family = AF_UNSPEC;
    socklen_t size = sizeof(family);

    if (error->type != S_IFSOCK)
        return false;
    input = identify(STDIN_FILENO);
    return is_same(error, &input) ||
           getsockopt(STDERR_FILENO, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 ||
           family != AF_UNIX;
}

/* Before any other constructor, which may log: 101 is the first that programs may use. */
__attribute__((constructor(101))) static void remember(void)
{
    int saved_errno = errno;

    at_load = identify(STDERR_FILENO);
    if (is_connection(&at_load))
        at_load.is_known = false;
    errno = saved_errno;
}

static bool is_ready(int descriptor, int wait_ms)
{
    struct pollfd poller = {descriptor, POLLOUT, 0};
    int n;

    do
        n = poll(&poller, 1, wait_ms);
    while (n < 0 && errno == EINTR);
    return n == 1 && (poller.revents & POLLOUT) != 0;
}

/* In pieces that a pipe which is ready takes without waiting. */
static bool write_all(int descriptor, const char *bytes, size_t n_bytes, int wait_ms)
{
    while (n_bytes > 0) {
        ssize_t n;
        if (!is_ready(descriptor, wait_ms))
            return false;
        n = write(descriptor, bytes, n_bytes < PIPE_BUF ? n_bytes : PIPE_BUF);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        n_bytes -= (size_t)n;
    }
    return true;
}

/* A pipe or socket without a reader raises SIGPIPE, which ends a program that did not ask for it.
 * The signal goes to the thread that writes, so it is blocked here and taken back. */
bool rp_write_to_reader(int descriptor, const char *bytes, size_t n_bytes, int wait_ms)
{
    const struct timespec no_time = {0, 0};
    sigset_t sigpipe, before, pending;
    bool was_pending, is_written;

    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    if (pthread_sigmask(SIG_BLOCK, &sigpipe, &before) != 0)
        return false;
    was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
    is_written = write_all(descriptor, bytes, n_bytes, wait_ms);
    if (!is_written && !was_pending) {
        while (sigtimedwait(&sigpipe, NULL, &no_time) < 0 && errno == EINTR) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_written;
}

bool rp_standard_error_write(const char *bytes, size_t n_bytes, int wait_ms)
{
    int saved_errno = errno;
    int duplicate = at_load.is_known ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) : -1;
    bool is_written = false;

    if (duplicate >= 0) {
        file_identity now = identify(duplicate);
        is_written =
            is_same(&at_load, &now) && rp_write_to_reader(duplicate, bytes, n_bytes, wait_ms);
        close(duplicate);
    }
    errno = saved_errno;
    return is_written;
}
