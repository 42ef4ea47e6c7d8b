/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collectives of kernels/team/team_cuda.h on a GPU, against the definitions of
 * collective_checks.h: teams of one warp, alone or several in one thread block, and teams of a
 * thread block of 64 to 256. What a team shares is once in shared memory and once in global memory.
 * Many more thread blocks than the GPU holds at a time, each with numbers of its own.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/support/collective_checks.h"
#include "tests/support/exit_status.h"

#define MAX_TEAMS_PER_BLOCK 4

/* Each team has its test in `tests`; in shared memory, it works on a copy. */
template <uint32_t n_threads, uint32_t n_teams, bool in_shared>
__global__ void __launch_bounds__(n_threads *n_teams) collectives_kernel(collective_test *tests)
{
    extern __shared__ __align__(16) uint8_t memory[];
    __shared__ rp_team_exchange exchanges[n_teams];
    uint32_t index = threadIdx.x / n_threads;
    collective_test *mine = tests + blockIdx.x * n_teams + index;
    collective_test *work = in_shared ? (collective_test *)memory + index : mine;
    rp_team team;
    team.rank = threadIdx.x % n_threads;
    team.size = n_threads;
    team.exchange = &exchanges[index];
    team.barrier = n_teams > 1 ? 1 + index : 0;
    team.is_unordered = false;
    if (in_shared) {
        for (uint32_t i = team.rank; i < sizeof(*work) / sizeof(uint32_t); i += n_threads)
            ((uint32_t *)work)[i] = ((const uint32_t *)mine)[i];
        team_sync(&team);
    }
    collective_worker(&team, work);
    if (in_shared) {
        team_sync(&team);
        for (uint32_t i = team.rank; i < sizeof(*work) / sizeof(uint32_t); i += n_threads)
            ((uint32_t *)mine)[i] = ((const uint32_t *)work)[i];
    }
}

static bool succeeded(cudaError_t error, const char *what)
{
    if (error != cudaSuccess)
        printf("FAILED: %s: %s\n", what, cudaGetErrorString(error));
    return error == cudaSuccess;
}

static bool check_teams(const collective_test *tests, uint32_t n_tests, const char *name)
{
    char text[128];
    for (uint32_t i = 0; i < n_tests; i++) {
        if (!collective_good(&tests[i], text, sizeof(text))) {
            printf("FAILED: %s, team %u: %s\n", name, i, text);
            return false;
        }
    }
    return true;
}

template <uint32_t n_threads, uint32_t n_teams, bool in_shared>
static bool run(uint32_t n_blocks, uint32_t n_rounds)
{
    char name[96];
    snprintf(name, sizeof(name), "%u team(s) of %u threads in each thread block, %s memory",
             n_teams, n_threads, in_shared ? "shared" : "global");
    uint32_t n_tests = n_blocks * n_teams;
    collective_test *tests = (collective_test *)calloc(n_tests, sizeof(*tests));
    collective_test *d_tests = NULL;
    size_t n_bytes = n_tests * sizeof(*tests);
    size_t n_shared = in_shared ? n_teams * sizeof(*tests) : 0;
    for (uint32_t i = 0; i < n_tests && tests != NULL; i++) {
        tests[i].size = n_threads;
        tests[i].n_rounds = n_rounds;
        tests[i].seed = i;
    }
    auto kernel = collectives_kernel<n_threads, n_teams, in_shared>;
    bool good = tests != NULL &&
                succeeded(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                               (int)n_shared),
                          name) &&
                succeeded(cudaMalloc(&d_tests, n_bytes), name) &&
                succeeded(cudaMemcpy(d_tests, tests, n_bytes, cudaMemcpyHostToDevice), name);
    if (good) {
        kernel<<<n_blocks, n_threads * n_teams, n_shared>>>(d_tests);
        good = succeeded(cudaGetLastError(), name) &&
               succeeded(cudaMemcpy(tests, d_tests, n_bytes, cudaMemcpyDeviceToHost), name) &&
               check_teams(tests, n_tests, name);
    }
    printf("%s: %u thread blocks, %u rounds: %s\n", name, n_blocks, n_rounds,
           good ? "good" : "FAILED");
    (void)cudaFree(d_tests);
    free(tests);
    return good;
}

template <bool in_shared> static bool run_sizes(uint32_t n_blocks, uint32_t n_rounds)
{
    bool good = run<32, 1, in_shared>(n_blocks, n_rounds);
    good = run<32, MAX_TEAMS_PER_BLOCK, in_shared>(n_blocks, n_rounds) && good;
    good = run<96, 2, in_shared>(n_blocks, n_rounds) && good;
    good = run<128, 3, in_shared>(n_blocks, n_rounds) && good;
    good = run<64, 1, in_shared>(n_blocks, n_rounds) && good;
    good = run<128, 1, in_shared>(n_blocks, n_rounds) && good;
    good = run<256, 1, in_shared>(n_blocks, n_rounds) && good;
    return good;
}

/* --small: for tools that make a GPU slow. */
int main(int argc, char **argv)
{
    bool is_small = argc == 2 && strcmp(argv[1], "--small") == 0;
    if (argc > 1 && !is_small) {
        fprintf(stderr, "usage: test_gpu_collectives [--small]\n");
        return 2;
    }
    int n_devices = 0;
    cudaError_t error = cudaGetDeviceCount(&n_devices);
    if (error != cudaSuccess || n_devices == 0) {
        printf("skipped: no GPU: %s\n", cudaGetErrorString(error));
        return EXIT_SKIPPED;
    }
    uint32_t n_blocks = is_small ? 4 : 2000;
    uint32_t n_rounds = is_small ? 60 : 300;
    bool good = run_sizes<true>(n_blocks, n_rounds);
    good = run_sizes<false>(n_blocks, n_rounds) && good;
    return good ? 0 : 1;
}
