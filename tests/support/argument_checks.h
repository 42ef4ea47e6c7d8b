/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of argument errors of the engine's calls share: arguments that are known to work,
 * on a device that counts what it is asked for, and the check of a refusal. A case spoils one
 * argument, so a status can only come from that one.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_ARGUMENT_CHECKS_H
#define ROCKPRESS_TESTS_SUPPORT_ARGUMENT_CHECKS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rockpress/engine.h"
#include "tests/differential/counting_device.h"

#define INPUT_BYTES 300
#define N_INPUTS 3

extern counting_device counting;
extern rp_stream stream;
extern rp_error error; /* where the options of a case send the text */
extern uint8_t input[INPUT_BYTES];
extern uint8_t outputs[N_INPUTS][512];
extern uint8_t *workspace; /* for N_INPUTS at effort fast, and RP_WORKSPACE_ALIGNMENT bytes more */
extern size_t workspace_bytes;
extern rp_status batch_statuses[N_INPUTS]; /* of working_batch() */

/* For cmocka. */
int set_up_arguments(void **state);
int tear_down_arguments(void **state);

/* A batch of N_INPUTS that can be compressed. */
rp_batch working_batch(void);

/* One of the six arrays of a batch becomes NULL, the last one also for which > 5. Returns its name.
 */
const char *spoil_array(rp_batch *batch, int which);

/* Fails the running case unless the status is the expected one, nothing was enqueued, and the text
 * in `error` has all words. The words end with NULL. */
void expect_refusal(rp_status status, rp_status expected, const char *const *words);

/* EXPECT(call, status, word...) */
#define EXPECT(call, expected, ...)                                                                \
    do {                                                                                           \
        const char *const words[] = {__VA_ARGS__, NULL};                                           \
        memset(&error, 0x7E, sizeof(error));                                                       \
        rp_status expect_status = (call);                                                          \
        expect_refusal(expect_status, expected, words);                                            \
    } while (0)

#endif
