/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are gathered: see batch/gather.h. */
#include "plugin/batch/gather.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "plugin/core/log.h"
#include "plugin/core/stats.h"

#define N_KINDS 256u
/* A kind that nothing is known of is expected to take this part of the limit. */
#define UNKNOWN_PART 8u
/* A smaller file takes this part of the difference off what is expected of its kind. */
#define FORGET_PART 32u
/* A file that was kept out takes this part off. From half of the limit, which is what is noted of a
 * file that was larger than a quarter, it takes some 700 files until one is let in again. */
#define RETRY_PART 1024u

/* The most bytes that a file of each kind is expected to have; 0: unknown. */
static _Atomic size_t expected[N_KINDS];
/* Sum of all files that are let in. */
static _Atomic size_t gathered;

uint32_t rp_gather_kind(const char *name, size_t length, uint32_t purpose)
{
    uint32_t hash = 2166136261u ^ purpose; /* FNV-1a */

    hash *= 16777619u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    return (hash ^ hash >> 16) % N_KINDS;
}

size_t rp_gather_most_samples(size_t limit_bytes)
{
    return limit_bytes / 4;
}

static bool count(size_t bytes, size_t limit_bytes)
{
    size_t now = atomic_load_explicit(&gathered, memory_order_relaxed);

    do {
        if (now > limit_bytes / 2 || bytes > limit_bytes / 2 - now)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&gathered, &now, now + bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

static size_t keep_out(void)
{
    static atomic_flag is_logged = ATOMIC_FLAG_INIT;

    rp_stats_count(RP_COUNT_FILES_WITHOUT_MEMORY);
    if (!atomic_flag_test_and_set(&is_logged))
        rp_log(RP_LOG_INFO, "ROCKPRESS_BATCH_MEMORY_BYTES has no room for a file, whose blocks are "
                            "compressed one by one; this is logged once");
    return 0;
}

size_t rp_gather_begin(uint32_t kind, size_t most_bytes, size_t limit_bytes)
{
    size_t most = rp_gather_most_samples(limit_bytes);
    size_t bytes = atomic_load_explicit(&expected[kind], memory_order_relaxed);

    if (bytes > most && most_bytes > most) {
        atomic_store_explicit(&expected[kind], bytes - bytes / RETRY_PART, memory_order_relaxed);
        return keep_out();
    }
    if (bytes == 0)
        bytes = limit_bytes / UNKNOWN_PART;
    if (bytes > most_bytes)
        bytes = most_bytes;
    return bytes != 0 && count(bytes, limit_bytes) ? bytes : keep_out();
}

size_t rp_gather_shown(uint32_t kind, size_t counted_bytes, size_t shown_bytes, size_t limit_bytes)
{
    size_t before = atomic_load_explicit(&expected[kind], memory_order_relaxed);
    size_t now = shown_bytes;

    /* Samples were cut, so nobody knows how large the file is. */
    if (shown_bytes >= rp_gather_most_samples(limit_bytes))
        now = limit_bytes / 2;
    else if (shown_bytes < before)
        now = before - (before - shown_bytes) / FORGET_PART;
    atomic_store_explicit(&expected[kind], now, memory_order_relaxed);
    /* It is there, whether there is room for it or not. */
    atomic_fetch_add_explicit(&gathered, shown_bytes - counted_bytes, memory_order_relaxed);
    return shown_bytes;
}

void rp_gather_end(size_t counted_bytes)
{
    atomic_fetch_sub_explicit(&gathered, counted_bytes, memory_order_relaxed);
}
