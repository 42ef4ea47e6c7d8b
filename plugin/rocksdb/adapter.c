/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter's view of the plugin: see adapter.h. */
#include "plugin/rocksdb/adapter.h"

#include "plugin/core/config.h"
#include "plugin/core/stats.h"
#include "plugin/device/session.h"

uint64_t rp_adapter_cpu_begin(rp_fallback_reason reason)
{
    /* Where the router has chosen, each block tells it whether it was right. */
    uint64_t begun = reason == RP_FALLBACK_ROUTER ? rp_clock_ns() : rp_stats_cpu_begin();

    rp_thread.depth++;
    if (begun != 0)
        rp_thread.cpu_begun_ns = rp_offload_cpu_clock();
    return begun;
}

void rp_adapter_cpu_end(rp_fallback_reason reason, const rp_offload_request *request,
                        size_t frame_size, uint64_t begun_ns)
{
    uint64_t ns;

    rp_thread.depth--;
    ns = rp_stats_cpu_end(reason, request->input_size, frame_size, begun_ns);
    if (ns != 0 && reason != RP_FALLBACK_DICTIONARY && reason != RP_FALLBACK_PARAMETER)
        rp_offload_note_cpu(request, ns, rp_offload_cpu_clock() - rp_thread.cpu_begun_ns);
}

size_t rp_adapter_batch_bytes(void)
{
    const rp_plugin_config *config = rp_config_get();

    if (config == NULL || !rp_batch_is_on() || !rp_session_ready(config))
        return 0;
    return config->batch_memory_bytes;
}
