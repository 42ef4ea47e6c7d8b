/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame verifier as kernels: a thread block for each input. They are of several sizes, and
 * copy the input and its frame to shared memory or not (cuda/schedule.h).
 */
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/thread_block.cuh"
#include "kernels/cuda/tuning.h"
#include "kernels/decode/stage.h"

template <uint32_t n_threads, uint32_t n_blocks, bool copies>
__global__ void __launch_bounds__(n_threads, n_blocks)
    rp_verifier_kernel(const __grid_constant__ rp_stage_args args)
{
    rp_team team = rp_block_team<n_threads>();
    rp_stage_frame_verifier(&team, &args, blockIdx.x, rp_dynamic_shared_memory, copies);
}

const rp_kernel rp_verifier = {
    (const void *)rp_verifier_kernel<RP_VERIFY_THREADS, RP_VERIFY_BLOCKS, true>, RP_VERIFY_THREADS,
    RP_VERIFY_MEMORY_BYTES(RP_VERIFY_COPY_MAX_BYTES)};
const rp_kernel rp_verifier_wide = {
    (const void *)rp_verifier_kernel<RP_VERIFY_WIDE_THREADS, RP_VERIFY_WIDE_BLOCKS, true>,
    RP_VERIFY_WIDE_THREADS, RP_VERIFY_MEMORY_BYTES(RP_VERIFY_COPY_MAX_BYTES)};
const rp_kernel rp_verifier_in_place = {
    (const void *)rp_verifier_kernel<RP_VERIFY_IN_PLACE_THREADS, RP_VERIFY_IN_PLACE_BLOCKS, false>,
    RP_VERIFY_IN_PLACE_THREADS, sizeof(rp_decode_memory)};
