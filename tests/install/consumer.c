/* SPDX-License-Identifier: Apache-2.0 */
/* Compresses a buffer on the host device as a user of the installed library would, and decodes it
 * with libzstd. In the common subset of C11 and C++17, as it is compiled as both. */
#include <rockpress/engine.h>
#include <rockpress/plugin.h>
#include <rockpress/pool.h>

#include <stdio.h>
#include <string.h>
#include <zstd.h>

enum { INPUT_BYTES = 16384, OUTPUT_BYTES = 2 * INPUT_BYTES };

static char input[INPUT_BYTES];
static char output[OUTPUT_BYTES];
static char decoded[INPUT_BYTES];

static int check(const char *what, rp_status status)
{
    if (status == RP_STATUS_OK)
        return 1;
    fprintf(stderr, "%s: %s\n", what, rp_status_string(status));
    return 0;
}

static int compress_and_decode(rp_lane *lane)
{
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    size_t output_size = 0, decoded_size;

    if (rp_compress_bound(INPUT_BYTES) > OUTPUT_BYTES)
        return 0;
    if (!check("rp_lane_compress", rp_lane_compress(lane, input, INPUT_BYTES, output, OUTPUT_BYTES,
                                                    &output_size, &options, 10000000)))
        return 0;
    decoded_size = ZSTD_decompress(decoded, INPUT_BYTES, output, output_size);
    if (decoded_size != INPUT_BYTES || memcmp(input, decoded, INPUT_BYTES) != 0) {
        fprintf(stderr, "libzstd decodes something else\n");
        return 0;
    }
    printf("%d bytes to %d and back\n", (int)INPUT_BYTES, (int)output_size);
    /* The text repeats a lot: a frame of raw blocks would be a broken build. */
    return output_size < INPUT_BYTES / 2;
}

int main(void)
{
    rp_device *device = NULL;
    rp_pool *pool = NULL;
    rp_lane *lane = NULL;
    rp_pool_options options = RP_POOL_OPTIONS_INIT;
    int good = 0;
    size_t used = 0;

    for (int i = 0; used + 64 < INPUT_BYTES; i++)
        used += (size_t)snprintf(input + used, 64, "key%08d|value of key %d|", i, i * i);

    options.max_lanes = 1;
    options.max_input_bytes = INPUT_BYTES;
    options.effort = RP_EFFORT_FAST;
    if (check("rp_device_open", rp_device_open("host", &device)) &&
        check("rp_pool_create", rp_pool_create(device, &options, &pool)) &&
        check("rp_pool_acquire", rp_pool_acquire(pool, &lane))) {
        good = compress_and_decode(lane);
        rp_pool_release(pool, lane);
    }
    rp_pool_destroy(pool);
    rp_device_close(device);
    return good ? 0 : 1;
}
