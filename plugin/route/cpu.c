/* SPDX-License-Identifier: Apache-2.0 */
/* The cpu route: see route/cpu.h. */
#include "plugin/route/cpu.h"

#include "plugin/core/config.h"
#include "plugin/core/costs.h"
#include "plugin/core/stats.h"
#include "plugin/core/thread_state.h"
#include "plugin/device/session.h"

/* Costs are of use where there is a choice: a device that is open, and a goal that leaves one. */
static bool is_measured(void)
{
    const rp_plugin_config *config = rp_config_peek();

    return rp_session_is_open() && config != NULL && config->goal != RP_GOAL_DEVICE;
}

static void note_cost(const rp_request *request, uint64_t wall_ns, uint64_t cpu_ns)
{
    rp_compress_options options;

    rp_request_options(rp_config_peek(), request->level, request->checksum, &options);
    rp_costs_note(RP_ROUTE_CPU, options.effort, request->input_size, request->input_size, wall_ns,
                  cpu_ns);
}

void rp_cpu_begin(rp_fallback_reason reason, rp_cpu_block *block)
{
    if (reason == RP_FALLBACK_ROUTER && rp_thread.is_awaited != 0)
        block->begun_ns = rp_clock_ns();
    else
        block->begun_ns = rp_stats_cpu_begin();
    rp_thread.is_awaited = 0;
    block->cpu_begun_ns = 0;
    if (block->begun_ns != 0 && is_measured())
        block->cpu_begun_ns = rp_costs_cpu_ns();
    rp_nesting_enter(&block->nesting);
}

void rp_cpu_end(rp_fallback_reason reason, const rp_request *request, size_t frame_size,
                const rp_cpu_block *block)
{
    uint64_t ns;

    rp_nesting_leave(&block->nesting);
    ns = rp_stats_cpu_end(reason, request->input_size, frame_size, block->begun_ns);
    /* The device takes no block with a dictionary or such a parameter: nothing is to be chosen. */
    if (ns != 0 && block->cpu_begun_ns != 0 && reason != RP_FALLBACK_DICTIONARY &&
        reason != RP_FALLBACK_PARAMETER)
        note_cost(request, ns, rp_costs_cpu_ns() - block->cpu_begun_ns);
}
