/* SPDX-License-Identifier: Apache-2.0 */
/* Requests: see core/request.h. */
#include "plugin/core/request.h"

#include <limits.h>
#include <stdint.h>

/* Differences of addresses, since the end of a range can be beyond the largest address. */
bool rp_request_overlaps(const rp_request *request)
{
    uintptr_t input = (uintptr_t)request->input, output = (uintptr_t)request->output;

    if (request->input_size == 0 || request->output_capacity == 0)
        return false;
    return input <= output ? output - input < request->input_size
                           : input - output < request->output_capacity;
}

/* Levels up to 2 and negative ones ask for speed, 3 to 5 are the usual ones, 6 to 9 ask for ratio,
 * and those above ask for the best ratio at any cost. */
static const struct {
    int up_to_level;
    rp_effort effort;
} efforts[] = {
    {2, RP_EFFORT_FAST},
    {5, RP_EFFORT_DEFAULT},
    {9, RP_EFFORT_HIGH},
    {INT_MAX, RP_EFFORT_MAX},
};

rp_effort rp_request_effort(int level)
{
    unsigned i = 0;

    if (level == 0)
        level = 3; /* libzstd's default */
    while (level > efforts[i].up_to_level)
        i++;
    return efforts[i].effort;
}

void rp_request_options(const rp_plugin_config *config, int level, bool checksum,
                        rp_compress_options *options)
{
    *options = (rp_compress_options)RP_COMPRESS_OPTIONS_DEFAULT;
    options->effort = config->effort == RP_PLUGIN_EFFORT_AUTO ? rp_request_effort(level)
                                                              : (rp_effort)config->effort;
    options->flags = checksum || config->checksum == RP_CHECKSUM_ON ? RP_COMPRESS_CHECKSUM : 0;
}
