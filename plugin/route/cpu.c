/* SPDX-License-Identifier: Apache-2.0 */
/* The cpu route: see route/cpu.h. */
#include "plugin/route/cpu.h"

#include "plugin/core/config.h"
#include "plugin/core/costs.h"
#include "plugin/core/stats.h"

/* 0 while the goal does not ask for it. */
static uint64_t cpu_clock(void)
{
    const rp_plugin_config *config = rp_config_get();

    return config != NULL ? rp_costs_cpu_ns(config) : 0;
}

static void note_cost(const rp_request *request, uint64_t wall_ns, uint64_t cpu_ns)
{
    const rp_plugin_config *config = rp_config_get();
    rp_compress_options options;

    if (config == NULL || rp_config_goal(config) == RP_GOAL_DEVICE)
        return;
    rp_request_options(config, request->level, request->checksum, &options);
    rp_costs_note(RP_ROUTE_CPU, options.effort, request->input_size, request->input_size, wall_ns,
                  cpu_ns);
}

void rp_cpu_begin(rp_fallback_reason reason, rp_cpu_block *block)
{
    /* Where the router has chosen, each block tells it whether it was right. */
    block->begun_ns = reason == RP_FALLBACK_ROUTER ? rp_clock_ns() : rp_stats_cpu_begin();
    if (block->begun_ns != 0)
        block->cpu_begun_ns = cpu_clock();
    rp_nesting_enter(&block->nesting);
}

void rp_cpu_end(rp_fallback_reason reason, const rp_request *request, size_t frame_size,
                const rp_cpu_block *block)
{
    uint64_t ns;

    rp_nesting_leave(&block->nesting);
    ns = rp_stats_cpu_end(reason, request->input_size, frame_size, block->begun_ns);
    /* The device takes no block with a dictionary or such a parameter: nothing is to be chosen. */
    if (ns != 0 && reason != RP_FALLBACK_DICTIONARY && reason != RP_FALLBACK_PARAMETER)
        note_cost(request, ns, cpu_clock() - block->cpu_begun_ns);
}
