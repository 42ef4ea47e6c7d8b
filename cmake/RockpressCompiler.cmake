# SPDX-License-Identifier: Apache-2.0
# Warnings and sanitizers, as one interface target that everything of ours links. Warnings are errors
# in the presets, which are for developers; a newer compiler's new warning must not stop a user.
option(ROCKPRESS_WERROR "Treat warnings as errors" OFF)
add_library(rockpress_compiler INTERFACE)
target_compile_options(rockpress_compiler INTERFACE
  $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wshadow -Wstrict-prototypes -Wvla>
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra>
  $<$<AND:$<BOOL:${ROCKPRESS_WERROR}>,$<COMPILE_LANGUAGE:C,CXX>>:-Werror>
  "$<$<AND:$<BOOL:${ROCKPRESS_WERROR}>,$<COMPILE_LANGUAGE:CUDA>>:SHELL:-Werror all-warnings>")
# Sources use POSIX (threads, clocks, dlfcn) beside C11.
target_compile_definitions(rockpress_compiler INTERFACE _GNU_SOURCE)
if(ROCKPRESS_SANITIZE)
  target_compile_options(rockpress_compiler INTERFACE
    $<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=${ROCKPRESS_SANITIZE} -fno-omit-frame-pointer -g>
    $<$<COMPILE_LANGUAGE:C>:-fno-sanitize-recover=all>)
  target_link_options(rockpress_compiler INTERFACE -fsanitize=${ROCKPRESS_SANITIZE})
endif()
