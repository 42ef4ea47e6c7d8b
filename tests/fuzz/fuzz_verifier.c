/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame verifier on arbitrary frames, entry points and sizes: nothing is read or written where
 * it must not be, and what it accepts is what the strict decoder decodes to the input. The fuzzer's
 * bytes are a program of changes to a frame and to its entry points, or the frame itself, of which
 * the input is what the strict decoder makes of it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/effort.h"
#include "tests/support/inputs.h"
#include "tests/support/prover.h"
#include "tests/support/rfc8878_decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define MAX_BYTES ((size_t)5000)

static void fail(const char *what, rp_status status)
{
    fprintf(stderr, "%s: %s\n", what, rp_status_name(status));
    abort();
}

static void check(prover *p, const uint8_t *input, size_t n_input, const uint8_t *frame,
                  size_t n_frame, bool with_entry_points, bool entry_points_are_right)
{
    bool is_foreign;
    bool is_right = prover_expects(input, n_input, frame, n_frame, &is_foreign);
    prover_result result =
        prover_prove(p, p->host, input, n_input, frame, n_frame, with_entry_points);
    if (result.status == RP_STATUS_OK && !is_right)
        fail("a wrong frame is proven", result.status);
    /* A frame of the fuzzer's own may be larger than what the verifier has room for. */
    if (result.status != RP_STATUS_OK && is_right && !is_foreign && n_frame <= n_input + 13 &&
        (!with_entry_points || entry_points_are_right))
        fail("a right frame is refused", result.status);
    if (result.status != RP_STATUS_OK && result.status != RP_STATUS_VERIFICATION_FAILED)
        fail("another status", result.status);
}

/* The bytes are the frame. */
static void check_own_frame(prover *p, const uint8_t *frame, size_t n)
{
    static uint8_t input[MAX_BYTES];
    rfc8878_stats stats;
    char error[RFC8878_ERROR_BYTES];
    size_t n_input;
    if (!rfc8878_decode_frame(frame, n, input, MAX_BYTES, &n_input, &stats, error, sizeof(error)))
        n_input = n % MAX_BYTES;
    check(p, input, n_input, frame, n, false, false);
    if (n_input != 0) {
        input[n % n_input] ^= 1;
        check(p, input, n_input, frame, n, false, false);
        input[n % n_input] ^= 1;
    }
}

/* Triples of a place, two bytes, and a change. The highest bit of a place says that it is one of
 * the entry points. */
static void check_changes(prover *p, const uint8_t *data, size_t n)
{
    static uint8_t input[MAX_BYTES];
    static uint8_t frame[2 * MAX_BYTES];
    const size_t n_input = ((size_t)data[0] << 8 | data[1]) % MAX_BYTES;
    size_t n_frame;
    inputs_fill((inputs_kind)(data[2] % INPUTS_N_KINDS), input, n_input, data[3]);
    if (prover_compress(p, p->host, input, n_input, data[4] & 1 ? RP_COMPRESS_CHECKSUM : 0, frame,
                        sizeof(frame), &n_frame) != RP_STATUS_OK)
        fail(p->error, RP_STATUS_INTERNAL);
    bool is_right = true;
    for (size_t i = 5; i + 3 <= n; i += 3) {
        const size_t place = (size_t)(data[i] & 0x7F) << 8 | data[i + 1];
        if ((data[i] & 0x80) == 0)
            frame[place % n_frame] ^= data[i + 2];
        else
            p->buffers.d_entry_points[place % p->buffers.entry_points_stride] ^= data[i + 2];
        /* A changed frame may have the same content by other states than the entry points'. */
        is_right = false;
    }
    is_right = is_right && data[4] < 64;
    /* Other sizes than the frame has. */
    n_frame -= n_frame > data[4] / 64U ? data[4] / 64U : 0;
    check(p, input, n_input, frame, n_frame, true, is_right);
    check(p, input, n_input, frame, n_frame, false, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 6)
        return 0;
    prover p;
    prover_open(&p, MAX_BYTES, test_effort());
    if (data[0] == 0xFF)
        check_own_frame(&p, data + 1, n - 1);
    else
        check_changes(&p, data + 1, n - 1);
    prover_close(&p);
    return 0;
}
