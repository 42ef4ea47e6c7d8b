/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of inputs around 8 MiB and beyond 128 MiB are read by decoders that stream and have their
 * default limits, and by the command zstd, if it is there.
 */
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/cases.h"
#include <zstd.h>

#include "tests/differential/checker.h"
#include "tests/differential/encoder.h"
#include "tests/support/inputs.h"

#define SEGMENT_MAX_BYTES ((size_t)8 << 20)
#define STREAMED_BYTES ((size_t)1 << 20)

static const size_t sizes[] = {SEGMENT_MAX_BYTES, SEGMENT_MAX_BYTES + 1, 9000000, 140000000};
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

typedef struct window_frame {
    uint8_t *input;
    size_t input_bytes;
    uint8_t *frame;
    size_t frame_bytes;
} window_frame;

static window_frame frames[N_SIZES];

/* The frame of sizes[i], made once. */
static const window_frame *frame_of(size_t i)
{
    window_frame *made = &frames[i];
    if (made->input != NULL)
        return made;
    const size_t input_bytes = sizes[i];
    size_t capacity = rp_compress_bound(input_bytes);
    *made = (window_frame){malloc(input_bytes), input_bytes, malloc(capacity), 0};
    assert_non_null(made->input);
    assert_non_null(made->frame);
    for (size_t at = 0, k = 0; at < input_bytes; at += STREAMED_BYTES, k++) {
        size_t n = input_bytes - at < STREAMED_BYTES ? input_bytes - at : STREAMED_BYTES;
        inputs_fill((inputs_kind)(k % INPUTS_N_KINDS), made->input + at, n, k);
    }
    test_encoder encoder;
    encoder_open(&encoder, input_bytes);
    assert_int_equal(encoder_lane(&encoder, made->input, input_bytes, made->frame, capacity,
                                  &made->frame_bytes, RP_COMPRESS_CHECKSUM),
                     RP_STATUS_OK);
    encoder_close(&encoder);
    return made;
}

static int free_frames(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SIZES; i++) {
        free(frames[i].input);
        free(frames[i].frame);
    }
    return 0;
}

/* The header is that of the format's recommendation, and both decoders restore the input. */
static void test_whole_frames(void **state)
{
    (void)state;
    frame_checker checker = {0};
    for (size_t i = 0; i < N_SIZES; i++) {
        const window_frame *made = frame_of(i);
        if (!checker_frame(&checker, made->input, made->input_bytes, made->frame, made->frame_bytes,
                           true))
            fail_msg("%zu bytes: %s", sizes[i], checker.error);
        assert_int_equal(checker.stats.single_segment, sizes[i] <= SEGMENT_MAX_BYTES);
        if (!checker.stats.single_segment)
            assert_int_equal(checker.stats.window_size, RP_ZSTD_BLOCK_BYTES);
    }
    checker_free(&checker);
}

/* A decoder that streams refuses windows beyond a limit: its own, or 8 MiB. */
static void stream(const window_frame *made, int window_log_max)
{
    static uint8_t part[STREAMED_BYTES];
    ZSTD_DCtx *decoder = ZSTD_createDCtx();
    assert_non_null(decoder);
    if (window_log_max != 0)
        assert_false(
            ZSTD_isError(ZSTD_DCtx_setParameter(decoder, ZSTD_d_windowLogMax, window_log_max)));
    ZSTD_inBuffer in = {made->frame, made->frame_bytes, 0};
    size_t n_decoded = 0;
    size_t left;
    do {
        ZSTD_outBuffer out = {part, sizeof(part), 0};
        left = ZSTD_decompressStream(decoder, &out, &in);
        if (ZSTD_isError(left))
            fail_msg("%zu bytes: %s", made->input_bytes, ZSTD_getErrorName(left));
        assert_true(out.pos <= made->input_bytes - n_decoded);
        assert_memory_equal(part, made->input + n_decoded, out.pos);
        n_decoded += out.pos;
        if (out.pos == 0 && in.pos == in.size)
            break;
    } while (left != 0);
    assert_int_equal(left, 0);
    assert_int_equal(n_decoded, made->input_bytes);
    ZSTD_freeDCtx(decoder);
}

static void test_streaming(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SIZES; i++) {
        const window_frame *made = frame_of(i);
        stream(made, 0);
        stream(made, 23);
    }
}

static void test_command(void **state)
{
    (void)state;
    if (system("zstd --version >/dev/null 2>&1") != 0)
        skip_case("no command zstd");
    signal(SIGPIPE, SIG_IGN); /* a command that refuses a frame may end before it has all */
    for (size_t i = 0; i < N_SIZES; i++) {
        const window_frame *made = frame_of(i);
        /* -M is the most memory, of which the window is all that counts. */
        static const char *const commands[] = {"zstd -t -q", "zstd -t -q -M8MB"};
        for (size_t k = 0; k < sizeof(commands) / sizeof(commands[0]); k++) {
            FILE *pipe = popen(commands[k], "w");
            assert_non_null(pipe);
            size_t written = fwrite(made->frame, 1, made->frame_bytes, pipe);
            int status = pclose(pipe);
            if (status != 0 || written != made->frame_bytes)
                fail_msg("%s: status %d, for %zu bytes", commands[k], status, sizes[i]);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_frames),
        cmocka_unit_test(test_streaming),
        cmocka_unit_test(test_command),
    };
    return RUN_CASES(argc, argv, tests, NULL, free_frames);
}
