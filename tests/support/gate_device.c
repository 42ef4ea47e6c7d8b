/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/gate_device.h"

#include <time.h>
#include <unistd.h>

static gate_device *gate;
static _Thread_local bool is_forbidden;

static void count(void)
{
    gate->n_calls++;
    gate->n_forbidden_calls += is_forbidden;
}

static void hold(queue_call call)
{
    while (gate->holding == (int)call)
        usleep(200);
}

static rp_status gated_copy(rp_stream stream, void *destination, const void *source, size_t n_bytes,
                            rp_copy_kind kind)
{
    count();
    hold(QUEUE_COPY);
    return gate->queue.device.ops->copy_async(stream, destination, source, n_bytes, kind);
}

static rp_status gated_launch(rp_stream stream, const struct rp_launch *launch)
{
    count();
    hold(QUEUE_LAUNCH);
    return gate->queue.device.ops->launch(stream, launch);
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static rp_status gated_wait(rp_stream stream, uint32_t timeout_us)
{
    const uint64_t begin = now_us();
    count();
    int n = ++gate->n_at_gate;
    int most = gate->most_at_gate;
    while (most < n && !atomic_compare_exchange_weak(&gate->most_at_gate, &most, n))
        ;
    while (gate->is_closed && (gate->never_returns || now_us() - begin < timeout_us))
        usleep(200);
    gate->n_at_gate--;
    if (gate->is_closed)
        return RP_STATUS_TIMEOUT;
    const rp_status status = gate->queue.device.ops->wait(stream, timeout_us);
    if (status == RP_STATUS_OK && gate->after_wait != NULL)
        gate->after_wait();
    return status;
}

void gate_device_open(gate_device *self, rp_device *runner, uint32_t flags)
{
    queue_device_open(&self->queue, runner, flags);
    self->ops = *self->queue.device.ops;
    self->ops.copy_async = gated_copy;
    self->ops.launch = gated_launch;
    self->ops.wait = gated_wait;
    self->device = self->queue.device;
    self->device.ops = &self->ops;
    self->is_closed = false;
    self->never_returns = false;
    self->holding = GATE_HOLDS_NONE;
    self->n_at_gate = 0;
    self->most_at_gate = 0;
    self->n_calls = 0;
    self->n_forbidden_calls = 0;
    self->after_wait = NULL;
    gate = self;
}

void gate_device_forbid(void)
{
    is_forbidden = true;
}

void gate_device_await(gate_device *self, int n)
{
    while (self->n_at_gate < n)
        usleep(200);
}
