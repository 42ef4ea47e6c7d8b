/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread's balance: how much sooner the thread is where it is than it would be with libzstd
 * alone. Each block that a device had is worth what libzstd's blocks of that size have cost, less
 * what it took. So a block that a batch served earns nearly all of that, and one that took longer
 * than libzstd would have spends. The router spends no more than there is (route/router.h): that is
 * how a device saves CPU time and costs no time.
 *
 * RocksDB builds a file on one thread, or a file's threads end with the file. So a thread's balance
 * is about that of a file, and needs no look-up and no lock.
 *
 * It has bounds. What was saved long ago is no reason to be slow for seconds now: a thread keeps at
 * most a quarter of a second, what the batch of a file of some 80 MiB saves. And one bad moment
 * (a driver that hung until its time limit) is forgotten after a while: a debt is at most the
 * twentieth part of a second, which one or two files of usual size earn.
 *
 * Thread rule: a thread's own.
 */
#ifndef ROCKPRESS_PLUGIN_CORE_BALANCE_H
#define ROCKPRESS_PLUGIN_CORE_BALANCE_H

#include <stdint.h>

#include "plugin/core/thread_state.h"

#define RP_BALANCE_MOST_NS (INT64_C(250) * 1000000)
#define RP_BALANCE_LEAST_NS (-INT64_C(50) * 1000000)

static inline int64_t rp_balance_ns(void)
{
    return rp_thread.balance_ns;
}

/* libzstd would have taken worth_ns (0: the block is libzstd's after all), the device took
 * spent_ns. */
static inline void rp_balance_note(uint64_t worth_ns, uint64_t spent_ns)
{
    int64_t balance = rp_thread.balance_ns;

    /* Neither of the two is ever near 2^62 ns, which are 146 years. */
    balance += (int64_t)worth_ns - (int64_t)spent_ns;
    if (balance > RP_BALANCE_MOST_NS)
        balance = RP_BALANCE_MOST_NS;
    if (balance < RP_BALANCE_LEAST_NS)
        balance = RP_BALANCE_LEAST_NS;
    rp_thread.balance_ns = balance;
}

#endif
