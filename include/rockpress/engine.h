/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: compresses independent inputs (RocksDB blocks) to zstd frames (RFC 8878) on a
 * device. It is stateless: the caller owns the stream and the workspace, nothing here
 * allocates, locks or waits, and every call is asynchronous on the stream it is given.
 * Pointers that start with d_ are device pointers (plain host pointers on a device with
 * RP_DEVICE_HOST_MEMORY). What is enqueued may be read and written until the stream has
 * been waited for.
 *
 * Thread rule: any number of threads may call at the same time, each with its own stream
 * and workspace.
 *
 * The same input, effort, flags and version of rockpress give the same bytes on every
 * device (rockpress/version.h). Frames have their content size and no dictionary id. They are
 * single-segment up to 8 MiB, and have a window of 128 KiB beyond. Each input is compressed on its
 * own.
 *
 * Structs begin with their size, which their initialisers set; rockpress/version.h has the rule.
 */
#ifndef ROCKPRESS_ENGINE_H
#define ROCKPRESS_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "rockpress/device.h"
#include "rockpress/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Largest input of one frame, in bytes. */
#define RP_MAX_INPUT_BYTES ((size_t)1 << 30)
/* Most inputs of one batch. */
#define RP_MAX_BATCH_INPUTS ((size_t)1 << 20)
/* Alignment of a workspace, in bytes. */
#define RP_WORKSPACE_ALIGNMENT ((size_t)256)
/* Block_Maximum_Size of RFC 8878, section 3.1.1.2.4: a longer input becomes several zstd blocks. */
#define RP_ZSTD_BLOCK_BYTES ((size_t)128 * 1024)

/* How hard to look for matches: ratio against time. docs/benchmarks.md compares each with the zstd
 * levels that it stands for. */
typedef enum rp_effort {
    RP_EFFORT_FAST = 1,    /* levels up to 2: last matches of two hashes, lazy by one */
    RP_EFFORT_DEFAULT = 2, /* levels 3 to 5: short chains, lazy by two */
    RP_EFFORT_HIGH = 3,    /* levels 6 to 9: optimal parse */
    RP_EFFORT_MAX = 4      /* above: longer chains, optimal parse twice */
} rp_effort;

/* Name of an effort ("fast", "default", "high", "max"), or NULL when it is not one. */
RP_API const char *rp_effort_name(rp_effort effort);

/* Append the frame's Content_Checksum (low 4 bytes of XXH64, RFC 8878 section 3.1.1). */
#define RP_COMPRESS_CHECKSUM UINT32_C(1)
/* Prove each frame: the device decodes it again and compares (rp_proof). */
#define RP_COMPRESS_VERIFY UINT32_C(2)
#define RP_COMPRESS_FLAGS_ALL (RP_COMPRESS_CHECKSUM | RP_COMPRESS_VERIFY)

/*
 * What the device knows of a frame with status RP_STATUS_OK and RP_COMPRESS_VERIFY: the frame
 * decodes to an input of this hash, and the frame itself has that hash. Both are XXH3_64bits of
 * libxxhash, with seed 0. The caller compares them with those of its own bytes
 * (rp_check_proof()): that covers the way of the input to the device and of the frame from it.
 */
typedef struct rp_proof {
    uint64_t input_hash;
    uint64_t frame_hash;
} rp_proof;

/* If struct_size is too small or too large, `error` is not filled: it may not be there. */
typedef struct rp_compress_options {
    size_t struct_size;
    rp_effort effort;
    uint32_t flags;  /* RP_COMPRESS_* */
    rp_error *error; /* nullable: filled on an argument error */
    /* With RP_COMPRESS_VERIFY, for calls with device pointers: one for each input. Calls with
     * pointers of the host check the proofs themselves, and do not look at it. */
    rp_proof *d_proofs;
} rp_compress_options;

/* Effort default, no flags, no error text. */
#define RP_COMPRESS_OPTIONS_DEFAULT                                                                \
    {                                                                                              \
        sizeof(rp_compress_options), RP_EFFORT_DEFAULT, 0, NULL, NULL                              \
    }

/*
 * Most bytes that the frame of an input of src_bytes takes; 0 if src_bytes is beyond
 * RP_MAX_INPUT_BYTES. Never more than ZSTD_compressBound(src_bytes). A smaller capacity is
 * allowed, and gives RP_STATUS_OUTPUT_TOO_SMALL for that input if its frame does not fit. A larger
 * one, SIZE_MAX too, counts as this many bytes, in every call that takes a capacity.
 */
RP_API size_t rp_compress_bound(size_t src_bytes);

/*
 * Bytes of workspace that a batch of up to max_inputs inputs of up to max_input_bytes each
 * takes at this effort. Pure arithmetic; 0 if an argument is out of range
 * (max_input_bytes <= RP_MAX_INPUT_BYTES, 1 <= max_inputs <= RP_MAX_BATCH_INPUTS).
 */
RP_API size_t rp_workspace_size(size_t max_input_bytes, size_t max_inputs, rp_effort effort);

/*
 * Compresses one input: the batch of one, without the arrays.
 *   d_workspace      workspace_size bytes, aligned to RP_WORKSPACE_ALIGNMENT, at least
 *                    rp_workspace_size(input_size, 1, effort)
 *   d_input          input_size bytes; may be NULL when input_size is 0
 *   d_output         output_capacity bytes; may be NULL when output_capacity is 0
 *   d_output_size    bytes of the frame, 0 unless the status is RP_STATUS_OK
 *   d_status         the result: RP_STATUS_OK, RP_STATUS_OUTPUT_TOO_SMALL, RP_STATUS_INTERNAL
 *   options          nullable: RP_COMPRESS_OPTIONS_DEFAULT
 * Returns RP_STATUS_OK when everything was enqueued, an argument error when nothing was, or
 * a run-time status of the device, after which the contents of the outputs are undefined.
 */
RP_API rp_status rp_compress_async(void *d_workspace, size_t workspace_size, const void *d_input,
                                   size_t input_size, void *d_output, size_t output_capacity,
                                   size_t *d_output_size, rp_status *d_status,
                                   const rp_compress_options *options, rp_stream stream);

/* A batch: the structure is the caller's and only read during the call; its arrays of
 * n_inputs elements, and what they point to, live on the device until the stream is done. */
typedef struct rp_batch {
    size_t struct_size;
    const void *const *d_inputs;
    const size_t *d_input_sizes; /* each at most max_input_bytes */
    size_t max_input_bytes;
    size_t n_inputs;
    void *const *d_outputs;
    const size_t *d_output_capacities;
    size_t *d_output_sizes; /* out: bytes of each frame, 0 unless its status is RP_STATUS_OK */
    rp_status *d_statuses;  /* out: per input, as d_status above, or RP_STATUS_INPUT_TOO_LARGE */
    /* Nullable, only with RP_COMPRESS_VERIFY: where each frame is copied to by the kernel that
     * proves it, with the room of d_outputs. For memory that a GPU writes to faster than it reads
     * it, such as the host's (RP_DEVICE_MAPPED_STAGING). */
    void *const *d_deliveries;
} rp_batch;

#define RP_BATCH_INIT                                                                              \
    {                                                                                              \
        sizeof(rp_batch), NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL                           \
    }

/* Compresses a batch of independent inputs. workspace_size is at least
 * rp_workspace_size(max_input_bytes, n_inputs, effort). Returns as rp_compress_async. */
RP_API rp_status rp_compress_batch_async(void *d_workspace, size_t workspace_size,
                                         const rp_batch *batch, const rp_compress_options *options,
                                         rp_stream stream);

/*
 * The stages, for callers who want one of them alone. Each works on the zstd blocks
 * of a batch, zstd_blocks_per_input for each input, and reads and writes the buffers below, which
 * rp_workspace_carve() lays out in a workspace. Each is one launch on the caller's stream.
 */

/* One sequence: RFC 8878 section 3.1.1.3.2. Packed, so that a sequence is one 8-byte word:
 * bits 0-16 literal length, 17-33 match length minus 3, 34-63 offset value (1 to 3: repeat
 * offsets, above: offset plus 3). */
typedef uint64_t rp_sequence;

RP_INLINE uint32_t rp_sequence_literal_length(rp_sequence sequence)
{
    return (uint32_t)(sequence & 0x1FFFF);
}

RP_INLINE uint32_t rp_sequence_match_length(rp_sequence sequence)
{
    return (uint32_t)((sequence >> 17) & 0x1FFFF) + 3;
}

RP_INLINE uint32_t rp_sequence_offset_value(rp_sequence sequence)
{
    return (uint32_t)(sequence >> 34);
}

/* What the stages know of one zstd block. */
typedef struct rp_zstd_block {
    uint32_t n_sequences; /* at most zstd_block_bytes / 3 + 1 */
    uint32_t n_literals;  /* all literals, those after the last sequence too */
    /* From the matcher: 1 if a Huffman code would not shorten the literals, or 0. */
    uint32_t literals_section_bytes;
    uint32_t sequences_section_bytes;
} rp_zstd_block;

typedef struct rp_stage_buffers {
    size_t struct_size;
    size_t n_zstd_blocks;         /* n_inputs * zstd_blocks_per_input */
    size_t zstd_blocks_per_input; /* at least 1 */
    size_t zstd_block_bytes;      /* most bytes of one zstd block, at most RP_ZSTD_BLOCK_BYTES */
    rp_zstd_block *d_zstd_blocks; /* [n_zstd_blocks] */
    rp_sequence *d_sequences;
    size_t sequences_stride; /* elements from one zstd block's sequences to the next's */
    uint8_t *d_literals;
    size_t literals_stride; /* bytes, as are the strides that follow */
    uint8_t *d_literals_sections;
    size_t literals_section_stride;
    uint8_t *d_sequences_sections;
    size_t sequences_section_stride;
    uint8_t *d_scratch; /* what does not fit a team's own memory */
    size_t scratch_stride;
    uint8_t *d_team_memory; /* for a device whose teams have none of their own: the host */
    /* Nullable: where the encoders leave places in the bitstreams at which a decoder can begin
     * (docs/kernels.md), so that the frame verifier decodes them side by side. It proves them, too.
     */
    uint8_t *d_entry_points;
    size_t entry_points_stride; /* bytes */
} rp_stage_buffers;

#define RP_STAGE_BUFFERS_INIT                                                                      \
    {                                                                                              \
        sizeof(rp_stage_buffers), 0, 0, 0, NULL, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0,      \
            NULL, NULL, 0                                                                          \
    }

/*
 * Lays out the buffers for a batch in a workspace; pure arithmetic, enqueues nothing. The caller
 * has set buffers->struct_size (RP_STAGE_BUFFERS_INIT). The buffers serve every effort up to this
 * one: a stage refuses buffers whose strides are less than what its effort and zstd_block_bytes
 * need (RP_STATUS_WORKSPACE_TOO_SMALL) or that are not aligned as these are
 * (RP_STATUS_WORKSPACE_MISALIGNED). Returns RP_STATUS_OK, or RP_STATUS_NULL_POINTER,
 * RP_STATUS_INVALID_STRUCT_SIZE, RP_STATUS_WORKSPACE_MISALIGNED, RP_STATUS_INVALID_EFFORT,
 * RP_STATUS_INPUT_TOO_LARGE, RP_STATUS_INVALID_BATCH_SIZE or RP_STATUS_WORKSPACE_TOO_SMALL; then
 * buffers are as they were.
 */
RP_API rp_status rp_workspace_carve(void *d_workspace, size_t workspace_size,
                                    size_t max_input_bytes, size_t n_inputs, rp_effort effort,
                                    rp_stage_buffers *buffers);

/*
 * A stage reads what earlier ones wrote to the buffers, and believes none of it that could lead it
 * out of them. Counts or sizes that no stage writes, and offsets of 0, give RP_STATUS_INTERNAL for
 * the input when its frame is assembled. Other contents that no stage wrote give a frame of some
 * kind.
 */

/* inputs -> d_zstd_blocks (n_sequences, n_literals), d_sequences, d_literals */
RP_API rp_status rp_launch_lz77_matcher(const rp_batch *batch, const rp_stage_buffers *buffers,
                                        const rp_compress_options *options, rp_stream stream);

/* d_literals -> d_literals_sections: RFC 8878 section 3.1.1.3.1 */
RP_API rp_status rp_launch_huffman_encoder(const rp_batch *batch, const rp_stage_buffers *buffers,
                                           const rp_compress_options *options, rp_stream stream);

/* d_sequences -> d_sequences_sections: RFC 8878 section 3.1.1.3.2 */
RP_API rp_status rp_launch_fse_encoder(const rp_batch *batch, const rp_stage_buffers *buffers,
                                       const rp_compress_options *options, rp_stream stream);

/* sections -> outputs, sizes, statuses: RFC 8878 section 3.1.1 */
RP_API rp_status rp_launch_frame_assembler(const rp_batch *batch, const rp_stage_buffers *buffers,
                                           const rp_compress_options *options, rp_stream stream);

/* outputs, sizes, statuses -> proofs, and statuses where a frame does not decode to its input.
 * Takes options with d_proofs; RP_COMPRESS_VERIFY is not needed. Of earlier stages it needs
 * d_entry_points only, and buffers of the same batch as scratch. */
RP_API rp_status rp_launch_frame_verifier(const rp_batch *batch, const rp_stage_buffers *buffers,
                                          const rp_compress_options *options, rp_stream stream);

/*
 * Whether a frame is proven to be that of an input: RP_STATUS_OK, RP_STATUS_VERIFICATION_FAILED or
 * RP_STATUS_NULL_POINTER. All pointers are the host's. Any thread.
 */
RP_API rp_status rp_check_proof(const rp_proof *proof, const void *input, size_t input_size,
                                const void *frame, size_t frame_size);

#ifdef __cplusplus
}
#endif

#endif
