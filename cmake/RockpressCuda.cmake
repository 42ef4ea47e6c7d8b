# SPDX-License-Identifier: Apache-2.0
# Whether the CUDA device, librockpress_cuda.so, is built: sets ROCKPRESS_WITH_CUDA. AUTO builds it where
# nvcc and the static runtime are found; ON demands them. The other libraries are the same either way.
set(ROCKPRESS_CUDA AUTO CACHE STRING "Build the CUDA device: AUTO (when it can be), ON, OFF")
set_property(CACHE ROCKPRESS_CUDA PROPERTY STRINGS AUTO ON OFF)
set(ROCKPRESS_WITH_CUDA OFF)
if(ROCKPRESS_CUDA STREQUAL "OFF")
  return()
endif()

# Sanitizers of the host compiler are not for nvcc; those builds test the kernels on the CPU.
if(ROCKPRESS_SANITIZE)
  if(ROCKPRESS_CUDA STREQUAL "ON")
    message(FATAL_ERROR "ROCKPRESS_CUDA=ON cannot be combined with ROCKPRESS_SANITIZE=${ROCKPRESS_SANITIZE}")
  endif()
  return()
endif()

# Machine code for each architecture since 8.0, and PTX of the oldest for what comes later.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80 86-real 89-real 90-real 100-real 120-real)
endif()
if(NOT DEFINED CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  find_program(ROCKPRESS_NVCC nvcc PATHS /usr/local/cuda/bin $ENV{CUDA_PATH}/bin $ENV{CUDA_HOME}/bin)
  mark_as_advanced(ROCKPRESS_NVCC)
  if(ROCKPRESS_NVCC)
    set(CMAKE_CUDA_COMPILER ${ROCKPRESS_NVCC})
  endif()
endif()
include(CheckLanguage)
check_language(CUDA)
if(CMAKE_CUDA_COMPILER)
  enable_language(CUDA)
  find_package(CUDAToolkit QUIET)
endif()
if(CMAKE_CUDA_COMPILER AND TARGET CUDA::cudart_static)
  set(ROCKPRESS_WITH_CUDA ON)
  set(CMAKE_CUDA_STANDARD 17)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
  # No exceptions and no C++ library on the host side: what is linked stays C.
  string(APPEND CMAKE_CUDA_FLAGS " -Xcompiler=-fno-exceptions,-fno-rtti,-fno-threadsafe-statics")
  set(CMAKE_CUDA_IMPLICIT_LINK_LIBRARIES "")
  set(CMAKE_CUDA_IMPLICIT_LINK_DIRECTORIES "")
  # Libraries and programs of the build tree find librockpress_cuda.so by this; installed ones have it
  # beside them.
  set(ROCKPRESS_CUDA_BUILD_DIR ${PROJECT_BINARY_DIR}/engine)
  set(CMAKE_BUILD_RPATH ${ROCKPRESS_CUDA_BUILD_DIR})
  message(STATUS "CUDA device: yes, with nvcc ${CMAKE_CUDA_COMPILER_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}")
elseif(ROCKPRESS_CUDA STREQUAL "ON")
  message(FATAL_ERROR "ROCKPRESS_CUDA=ON: no nvcc with a static runtime; set CMAKE_CUDA_COMPILER, or AUTO or OFF")
else()
  message(STATUS "CUDA device: no (no nvcc found); the host device does the same work on the CPU")
endif()
