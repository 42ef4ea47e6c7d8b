/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the plugin keeps for each thread: a handful of words, and nothing that needs a destructor,
 * because RocksDB starts new compression threads for every SST.
 *
 * The TLS model is initial-exec, which saves some 60 instructions for each block. A library that is
 * dlopen'ed takes such memory from a small reserve of the loader, so this stays below 128 bytes,
 * and nothing else in the plugin is thread-local.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_THREAD_STATE_H
#define ROCKPRESS_PLUGIN_CORE_THREAD_STATE_H

#include <stdint.h>

struct rp_nesting;
struct rp_zstd;

struct rp_thread_state {
    const struct rp_nesting *nesting; /* the call that it is inside of (core/nesting.h), or NULL */
    struct rp_zstd *zstd;             /* of the zstd hook: the library of its last call, or NULL */
    uint32_t shard;                   /* this thread's counters, plus 1; 0 is not chosen yet */
    uint32_t cpu_blocks;              /* to time one in RP_CPU_TIMING_INTERVAL */
    int64_t balance_ns;               /* core/balance.h */
    uint32_t direct_blocks;           /* to time one in RP_COSTS_CPU_INTERVAL by the CPU's clock */
    uint32_t is_awaited;              /* the router wants the cost of its next block on the CPU */
    int64_t probe_ps;                 /* what the router has set aside for its probe */
    uint32_t batch_next;              /* the block of `batch` that is expected next */
    uint64_t batch;                   /* rp_batch_id that was last taken from; 0: none */

    /* Of the zstd hook: the batch that this thread began, and rp_context_clock() at that time. */
    uint64_t own_batch;
    uint32_t own_batch_born;
    uint16_t single_uses; /* contexts for one block each that it freed one after the other */
    uint16_t name;        /* what the thread's name says (hook/asker.c); 0: not looked yet */
    uint32_t number;      /* rp_thread_number(); 0 is not chosen yet */
    /* What ZSTD_CCtx_setParameter last set on this thread; level 0: nothing yet. */
    int32_t set_level;
    uint32_t set_checksum;
};

/* __thread: C++ has no _Thread_local, and a thread_local of its own that costs a call. */
extern __thread __attribute__((tls_model("initial-exec"))) struct rp_thread_state rp_thread;

/* Shards spread threads over counters and caches; a power of two. 16 keeps 16 busy threads
 * apart and costs 6 KiB of counters. */
#define RP_N_SHARDS 16u

uint32_t rp_thread_choose_shard(void);

uint32_t rp_thread_choose_number(void);

/* A number that no other thread of the process has, except after 2^32 threads. Not 0. */
static inline uint32_t rp_thread_number(void)
{
    uint32_t number = rp_thread.number;
    return number != 0 ? number : rp_thread_choose_number();
}

/* This thread's shard, below RP_N_SHARDS. */
static inline uint32_t rp_thread_shard(void)
{
    uint32_t shard = rp_thread.shard;
    return shard != 0 ? shard - 1 : rp_thread_choose_shard();
}

#endif
