/* SPDX-License-Identifier: Apache-2.0 */
/* Names and explanations of statuses. */
#include "rockpress/status.h"

typedef struct status_text {
    rp_status status;
    const char *name;
    const char *sentence;
} status_text;

#define STATUS(name, sentence)                                                                     \
    {                                                                                              \
        name, #name, sentence                                                                      \
    }

static const status_text texts[] = {
    STATUS(RP_STATUS_OK, "success"),
    STATUS(RP_STATUS_NULL_POINTER, "a required pointer is NULL"),
    STATUS(RP_STATUS_INVALID_STREAM, "the stream names no device"),
    STATUS(RP_STATUS_INVALID_EFFORT, "the effort is not one of rp_effort"),
    STATUS(RP_STATUS_INVALID_FLAGS, "a flag is set that is not one of RP_COMPRESS_FLAGS_ALL"),
    STATUS(RP_STATUS_INPUT_TOO_LARGE, "an input is larger than the maximum that is allowed for it"),
    STATUS(RP_STATUS_INVALID_BATCH_SIZE, "the number of inputs is 0 or too large"),
    STATUS(RP_STATUS_WORKSPACE_MISALIGNED,
           "the workspace is not aligned to RP_WORKSPACE_ALIGNMENT bytes"),
    STATUS(RP_STATUS_WORKSPACE_TOO_SMALL, "the workspace is smaller than rp_workspace_size()"),
    STATUS(RP_STATUS_INVALID_OPTION, "a field of an options structure is out of range"),
    STATUS(RP_STATUS_UNKNOWN_DEVICE, "there is no device of that name; known: host, cuda, cuda:N"),
    STATUS(RP_STATUS_OVERLAP, "input, output and workspace must not overlap"),
    STATUS(RP_STATUS_INVALID_STRUCT_SIZE,
           "a struct's struct_size was not set by its initialiser, or it has fields that this "
           "version of rockpress does not know"),
    STATUS(RP_STATUS_INVALID_LANE, "the lane is not held, or belongs to another pool"),
    STATUS(RP_STATUS_OUTPUT_TOO_SMALL, "the frame does not fit the output's capacity"),
    STATUS(RP_STATUS_POOL_EXHAUSTED, "every lane of the pool is taken or its memory is spent"),
    STATUS(RP_STATUS_OUT_OF_HOST_MEMORY, "out of host memory"),
    STATUS(RP_STATUS_OUT_OF_DEVICE_MEMORY, "out of device memory"),
    STATUS(RP_STATUS_DEVICE_UNAVAILABLE,
           "the device cannot be used here; rp_device_list() says why"),
    STATUS(RP_STATUS_LAUNCH_FAILED, "a launch failed; the device still works"),
    STATUS(RP_STATUS_TIMEOUT, "the work was not done in time; it may still be running"),
    STATUS(RP_STATUS_DEVICE_FAULT, "the device is lost to this process"),
    STATUS(RP_STATUS_INTERNAL, "an invariant of rockpress is broken; please report it"),
    STATUS(RP_STATUS_VERIFICATION_FAILED,
           "what the device returned is not the frame of the input: the device works wrongly"),
};

static const status_text *find(rp_status status)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].status == status)
            return &texts[i];
    }
    return NULL;
}

const char *rp_status_name(rp_status status)
{
    const status_text *text = find(status);
    return text != NULL ? text->name : "RP_STATUS_UNKNOWN";
}

const char *rp_status_string(rp_status status)
{
    const status_text *text = find(status);
    return text != NULL ? text->sentence : "not a status of rockpress";
}
