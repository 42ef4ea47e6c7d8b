/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame verifier against the strict decoder: it accepts the frames of the encoder, with and
 * without entry points and with teams of all sizes, and frames of libzstd. Of frames that have been
 * changed it accepts those that the strict decoder still decodes to the input, and no other.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include <xxhash.h>
#include <zstd.h>

#include "tests/differential/constructed.h"
#include "tests/support/effort.h"
#include "tests/support/inputs.h"
#include "tests/support/prover.h"
#include "tests/support/team_device.h"

#define LARGEST 300000
#define CAPACITY (LARGEST + 4096)

static rp_device *host;
static uint8_t input[LARGEST];
static uint8_t frame[CAPACITY];

static void expect(prover *p, rp_device *device, size_t n_bytes, size_t frame_bytes,
                   bool with_entry_points, bool is_right, const char *what, uint64_t which)
{
    prover_result result =
        prover_prove(p, device, input, n_bytes, frame, frame_bytes, with_entry_points);
    if (!is_right) {
        if (result.status != RP_STATUS_VERIFICATION_FAILED || result.frame_bytes != 0 ||
            result.proof.input_hash != 0 || result.proof.frame_hash != 0)
            fail_msg("%s %llu, %zu bytes, entry points %d: %s for a wrong frame (%s)", what,
                     (unsigned long long)which, n_bytes, with_entry_points,
                     rp_status_name(result.status), p->error);
        return;
    }
    if (result.status != RP_STATUS_OK)
        fail_msg("%s %llu, %zu bytes, entry points %d: %s (%s) for a right frame", what,
                 (unsigned long long)which, n_bytes, with_entry_points,
                 rp_status_name(result.status), p->error);
    assert_int_equal(result.frame_bytes, frame_bytes);
    assert_true(result.is_delivered);
    assert_true(result.proof.input_hash == XXH3_64bits(input, n_bytes));
    assert_true(result.proof.frame_hash == XXH3_64bits(frame, frame_bytes));
}

static size_t compress(prover *p, size_t n_bytes, uint32_t flags)
{
    size_t frame_bytes = 0;
    rp_status status =
        prover_compress(p, host, input, n_bytes, flags, frame, CAPACITY, &frame_bytes);
    if (status != RP_STATUS_OK)
        fail_msg("%s", p->error);
    return frame_bytes;
}

static void test_encoded_frames(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,    1,    2,     5,     100,    255,    256,
                                   1000, 4096, 16384, 65536, 131072, 131073, LARGEST};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        prover p;
        prover_open(&p, sizes[s], test_effort());
        for (int kind = 0; kind < INPUTS_N_KINDS; kind++) {
            inputs_fill((inputs_kind)kind, input, sizes[s], 77 + s);
            for (uint32_t flags = 0; flags <= RP_COMPRESS_CHECKSUM; flags++) {
                size_t n = compress(&p, sizes[s], flags);
                expect(&p, host, sizes[s], n, true, true, inputs_kind_name((inputs_kind)kind), s);
                expect(&p, host, sizes[s], n, false, true, inputs_kind_name((inputs_kind)kind), s);
            }
        }
        prover_close(&p);
    }
}

int main(int argc, char **argv)
{
    if (rp_device_open("host", &host) != RP_STATUS_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encoded_frames),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
