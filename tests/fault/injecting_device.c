/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the device: see injecting_device.h. What is done to data is in data_faults.c. */
#include "tests/fault/injecting_device.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/fault/data_faults.h"
#include "tests/fault/injection.h"
#include "tests/fault/threaded_device.h"

static injecting_device *self_of(const rp_device *device)
{
    return device->state;
}

bool injection_take(injecting_device *self, uint32_t i, uint64_t *n)
{
    const injection *planned = &self->plan.injections[i];
    *n = atomic_fetch_add(&self->n_seen[i], 1);
    if (*n < planned->after || plan_mix(self->plan.seed + i, *n) % ALWAYS_PPM >= planned->ppm)
        return false;
    uint32_t made = atomic_load(&self->n_made[i]);
    while (made < planned->times) {
        if (!atomic_compare_exchange_weak(&self->n_made[i], &made, made + 1))
            continue;
        if (self->n_made_outside != NULL)
            atomic_fetch_add(self->n_made_outside, 1);
        return true;
    }
    return false;
}

void injection_return(injecting_device *self, uint32_t i)
{
    atomic_fetch_sub(&self->n_made[i], 1);
    if (self->n_made_outside != NULL)
        atomic_fetch_sub(self->n_made_outside, 1);
}

static void delay(uint64_t us)
{
    const struct timespec pause_for = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
    (void)nanosleep(&pause_for, NULL);
}

static void hang(void)
{
    for (;;)
        (void)pause();
}

/* What is to become of a call. */
typedef enum outcome { PASS_ON, DROP, RETURN } outcome;

static outcome arrive(injecting_device *self, inject_at call, rp_status *status)
{
    outcome result = PASS_ON;
    uint64_t n;
    atomic_fetch_add(&self->n_calls[call], 1);
    atomic_fetch_add(&self->n_calls[AT_ANY], 1);
    *status = RP_STATUS_DEVICE_FAULT;
    if (atomic_load(&self->is_lost))
        return RETURN;
    for (uint32_t i = 0; i < self->plan.n && result == PASS_ON; i++) {
        const injection *planned = &self->plan.injections[i];
        const bool is_alloc = call == AT_MEMORY_ALLOC || call == AT_STAGING_ALLOC;
        const bool can_be_dropped = call == AT_COPY || call == AT_LAUNCH || call == AT_WAIT;
        if ((planned->at != call && planned->at != AT_ANY) ||
            (planned->kind == INJECT_OOM && !is_alloc) ||
            (planned->kind == INJECT_DROP && !can_be_dropped) || !injection_take(self, i, &n))
            continue;
        switch (planned->kind) {
        case INJECT_FAIL:
            *status = (rp_status)planned->value;
            result = RETURN;
            break;
        case INJECT_OOM:
            *status = call == AT_MEMORY_ALLOC ? RP_STATUS_OUT_OF_DEVICE_MEMORY
                                              : RP_STATUS_OUT_OF_HOST_MEMORY;
            result = RETURN;
            break;
        case INJECT_LOSE:
            atomic_store(&self->is_lost, true);
            result = RETURN;
            break;
        case INJECT_DELAY:
            delay(planned->value);
            break;
        case INJECT_HANG:
            hang();
            break;
        case INJECT_DROP:
            result = DROP;
            break;
        default:
            break;
        }
    }
    return result;
}

static rp_status injecting_memory_alloc(const rp_device *device, size_t bytes, void **memory)
{
    injecting_device *self = self_of(device);
    rp_status status;
    *memory = NULL;
    if (arrive(self, AT_MEMORY_ALLOC, &status) != PASS_ON)
        return status;
    return self->inner->ops->memory_alloc(self->inner, bytes, memory);
}

static void injecting_memory_free(const rp_device *device, void *memory)
{
    const rp_device *inner = self_of(device)->inner;
    inner->ops->memory_free(inner, memory);
}

static rp_status injecting_staging_alloc(const rp_device *device, size_t bytes, void **memory)
{
    injecting_device *self = self_of(device);
    rp_status status;
    *memory = NULL;
    if (arrive(self, AT_STAGING_ALLOC, &status) != PASS_ON)
        return status;
    status = self->inner->ops->staging_alloc(self->inner, bytes, memory);
    if (status == RP_STATUS_OK && !staging_add(self, *memory, bytes)) {
        self->inner->ops->staging_free(self->inner, *memory);
        *memory = NULL;
        status = RP_STATUS_OUT_OF_HOST_MEMORY;
    }
    return status;
}

static void injecting_staging_free(const rp_device *device, void *memory)
{
    injecting_device *self = self_of(device);
    staging_remove(self, memory);
    self->inner->ops->staging_free(self->inner, memory);
}

static rp_status injecting_stream_create(const rp_device *device, void **handle)
{
    injecting_device *self = self_of(device);
    rp_status status;
    *handle = NULL;
    if (arrive(self, AT_STREAM_CREATE, &status) != PASS_ON)
        return status;
    struct injecting_stream *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return RP_STATUS_OUT_OF_HOST_MEMORY;
    made->inner.device = self->inner;
    status = self->inner->ops->stream_create(self->inner, &made->inner.handle);
    if (status != RP_STATUS_OK) {
        free(made);
        return status;
    }
    *handle = made;
    return RP_STATUS_OK;
}

static void injecting_stream_destroy(const rp_device *device, void *handle)
{
    injecting_device *self = self_of(device);
    struct injecting_stream *stream = handle;
    self->inner->ops->stream_destroy(self->inner, stream->inner.handle);
    free(stream);
}

static rp_status injecting_copy(rp_stream stream, void *destination, const void *source,
                                size_t bytes, rp_copy_kind kind)
{
    injecting_device *self = self_of(stream.device);
    struct injecting_stream *own = stream.handle;
    rp_status status;
    const outcome result = arrive(self, AT_COPY, &status);
    if (kind == RP_COPY_DEVICE_TO_HOST && bytes != 0 && result != RETURN) {
        struct arrival *last = &own->arrivals[own->n_arrivals++ % MAX_ARRIVALS];
        last->at = destination;
        last->n_bytes = bytes;
    }
    if (result != PASS_ON)
        return result == DROP ? RP_STATUS_OK : status;
    return self->inner->ops->copy_async(own->inner, destination, source, bytes, kind);
}

static rp_status injecting_launch(rp_stream stream, const struct rp_launch *launch)
{
    injecting_device *self = self_of(stream.device);
    rp_status status;
    const outcome result = arrive(self, AT_LAUNCH, &status);
    if (result != PASS_ON)
        return result == DROP ? RP_STATUS_OK : status;
    return data_faults_launch(self, stream.handle, launch);
}

static rp_status injecting_wait(rp_stream stream, uint32_t timeout_us)
{
    injecting_device *self = self_of(stream.device);
    struct injecting_stream *own = stream.handle;
    rp_status status;
    const outcome result = arrive(self, AT_WAIT, &status);
    if (result != PASS_ON)
        return result == DROP ? RP_STATUS_OK : status;
    status = self->inner->ops->wait(own->inner, timeout_us);
    if (status == RP_STATUS_OK && own->settled != RP_STATUS_OK) {
        status = own->settled;
        own->settled = RP_STATUS_OK;
    }
    if (status == RP_STATUS_OK)
        data_faults_waited(self, own);
    return status;
}

static void injecting_close(rp_device *device)
{
    (void)device;
}

static const rp_device_ops injecting_ops = {
    sizeof(rp_device_ops),    injecting_memory_alloc, injecting_memory_free,
    injecting_staging_alloc,  injecting_staging_free, injecting_stream_create,
    injecting_stream_destroy, injecting_copy,         injecting_launch,
    injecting_wait,           injecting_close,
};

void injecting_device_open(injecting_device *self, const rp_device *inner,
                           const injection_plan *plan)
{
    memset(self, 0, sizeof(*self));
    self->device.struct_size = sizeof(self->device);
    self->device.ops = &injecting_ops;
    self->device.name = "fault";
    self->device.flags = inner->flags;
    self->device.state = self;
    self->inner = inner;
    self->plan = *plan;
    pthread_mutex_init(&self->lock, NULL);
}

static injecting_device the_device;
static _Atomic bool is_opened;

/* What a plan stands on. */
static rp_status open_inner(const char *name, rp_device **inner)
{
    static threaded_device threaded;
    const bool is_mapped = strcmp(name, "mapped") == 0;
    if (!is_mapped && strcmp(name, "copied") != 0)
        return rp_device_open(name, inner);
    rp_status status = rp_device_open("host", inner);
    if (status != RP_STATUS_OK)
        return status;
    threaded_device_open(&threaded, *inner,
                         is_mapped ? RP_DEVICE_MAPPED_STAGING | RP_DEVICE_FUSED_LAUNCH : 0);
    *inner = &threaded.device;
    return RP_STATUS_OK;
}

rp_status injecting_device_open_name(const injection_plan *plan, rp_device **device)
{
    rp_device *inner;
    *device = NULL;
    if (atomic_exchange(&is_opened, true))
        return RP_STATUS_UNKNOWN_DEVICE;
    rp_status status = open_inner(plan->device, &inner);
    if (status != RP_STATUS_OK) {
        atomic_store(&is_opened, false);
        return status;
    }
    injecting_device_open(&the_device, inner, plan);
    *device = &the_device.device;
    return RP_STATUS_OK;
}

injecting_device *injecting_device_opened(void)
{
    return the_device.inner == NULL ? NULL : &the_device;
}

uint64_t injecting_device_n_made(const injecting_device *self)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < self->plan.n; i++)
        n += self->n_made[i];
    return n;
}

void injecting_device_report(const injecting_device *self, FILE *file)
{
    char text[96];
    for (int call = 0; call <= AT_ANY; call++)
        fprintf(file, "%s %" PRIu32 "\n", inject_at_name((inject_at)call), self->n_calls[call]);
    for (uint32_t i = 0; i < self->plan.n; i++)
        fprintf(file, "injection %s %" PRIu32 " of %" PRIu32 "\n",
                injection_print(&self->plan.injections[i], text, sizeof(text)), self->n_made[i],
                self->n_seen[i]);
    fprintf(file, "made %" PRIu64 "\n", injecting_device_n_made(self));
}
