# SPDX-License-Identifier: Apache-2.0
# The workload of bench/hook_cost, for any folder to include; does not need the rest of bench/.
# libzstd as a shared library: what is linked into the program itself, no preloaded hook can take.
if(zstd_LIBRARY MATCHES "\\.a$")
  message(STATUS "bench/hook: skipped, libzstd is a static library (${zstd_LIBRARY})")
else()
  add_executable(hook ${CMAKE_CURRENT_LIST_DIR}/hook.c)
  target_link_libraries(hook PRIVATE rockpress_compiler zstd_dep)
endif()
