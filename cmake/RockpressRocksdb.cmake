# SPDX-License-Identifier: Apache-2.0
# Whether the CompressionManager adapter (plugin/rocksdb/rocksdb_adapter.cc) is built: sets
# ROCKPRESS_WITH_ADAPTER, and makes the target rocksdb_cxx, RocksDB with its C++ headers. It
# needs RocksDB 10.4 or later with a shared library, where the system has it or in
# -DRocksDB_ROOT=<installation prefix>. Also sets rocksdb_cxx_VERSION.
set(RocksDB_ROOT "" CACHE PATH "Where RocksDB 10.4 or later is installed, for the CompressionManager")
set(ROCKPRESS_WITH_ADAPTER OFF)
set(ROCKPRESS_NEWEST_ROCKSDB 11.9)

function(rockpress_no_adapter why)
  if(RocksDB_ROOT)
    message(FATAL_ERROR "RocksDB_ROOT=${RocksDB_ROOT}: ${why}")
  endif()
  message(STATUS "CompressionManager adapter: skipped, ${why}")
  set(ROCKPRESS_NO_ADAPTER "${why}" PARENT_SCOPE)
endfunction()

# A prefix that is named is meant: nothing of the system's is mixed in.
set(only "")
if(RocksDB_ROOT)
  set(only NO_DEFAULT_PATH)
endif()
if(NOT RocksDB_ROOT STREQUAL "${rocksdb_cxx_FOUND_FOR}")
  unset(rocksdb_cxx_INCLUDE_DIR CACHE)
  unset(rocksdb_cxx_LIBRARY CACHE)
  unset(rocksdb_cxx_DB_BENCH CACHE)
  unset(rocksdb_cxx_DB_STRESS CACHE)
  unset(rocksdb_cxx_LDB CACHE)
  unset(rocksdb_cxx_HAS_RTTI CACHE)
  set(rocksdb_cxx_FOUND_FOR "${RocksDB_ROOT}" CACHE INTERNAL "The RocksDB_ROOT of what was found")
endif()
find_path(rocksdb_cxx_INCLUDE_DIR rocksdb/version.h HINTS ${RocksDB_ROOT}/include ${only})
find_library(rocksdb_cxx_LIBRARY NAMES librocksdb.so
             HINTS ${RocksDB_ROOT}/${CMAKE_INSTALL_LIBDIR} ${RocksDB_ROOT}/lib ${only})
mark_as_advanced(rocksdb_cxx_INCLUDE_DIR rocksdb_cxx_LIBRARY)
if(NOT rocksdb_cxx_INCLUDE_DIR OR NOT rocksdb_cxx_LIBRARY)
  rockpress_no_adapter("no RocksDB with a shared library and headers was found")
  return()
endif()

set(rocksdb_cxx_VERSION "")
foreach(part MAJOR MINOR PATCH)
  file(STRINGS ${rocksdb_cxx_INCLUDE_DIR}/rocksdb/version.h line
       REGEX "^#define ROCKSDB_${part} +[0-9]+")
  string(REGEX REPLACE ".* ([0-9]+).*" "\\1" number "${line}")
  list(APPEND rocksdb_cxx_VERSION "${number}")
endforeach()
list(JOIN rocksdb_cxx_VERSION . rocksdb_cxx_VERSION)
if(rocksdb_cxx_VERSION VERSION_LESS 10.4)
  rockpress_no_adapter(
    "RocksDB here is ${rocksdb_cxx_VERSION}, and CompressionManager came with 10.4 (set RocksDB_ROOT to one)")
  return()
endif()

include(CheckLanguage)
check_language(CXX)
if(NOT CMAKE_CXX_COMPILER)
  rockpress_no_adapter("there is no C++ compiler")
  return()
endif()
enable_language(CXX)

add_library(rocksdb_cxx SHARED IMPORTED GLOBAL)
set_target_properties(rocksdb_cxx PROPERTIES
  IMPORTED_LOCATION ${rocksdb_cxx_LIBRARY}
  INTERFACE_COMPILE_FEATURES cxx_std_20
  INTERFACE_INCLUDE_DIRECTORIES ${rocksdb_cxx_INCLUDE_DIR})

# Most RocksDBs are built without run-time type information, and who derives from its classes then
# has to do without, too.
file(WRITE ${CMAKE_BINARY_DIR}/rocksdb_rtti.cc
"#include <typeinfo>
#include <rocksdb/advanced_compression.h>
int main() { return typeid(rocksdb::CompressionManager).name() == nullptr; }
")
try_compile(rocksdb_cxx_HAS_RTTI ${CMAKE_BINARY_DIR}/rocksdb_rtti
  SOURCES ${CMAKE_BINARY_DIR}/rocksdb_rtti.cc
  LINK_LIBRARIES rocksdb_cxx
  CXX_STANDARD 20)
if(NOT rocksdb_cxx_HAS_RTTI)
  set_property(TARGET rocksdb_cxx PROPERTY
    INTERFACE_COMPILE_OPTIONS $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
endif()

set(ROCKPRESS_WITH_ADAPTER ON)
message(STATUS "CompressionManager adapter: for RocksDB ${rocksdb_cxx_VERSION} (${rocksdb_cxx_LIBRARY})")
if(rocksdb_cxx_VERSION VERSION_GREATER_EQUAL 12 OR
   NOT rocksdb_cxx_VERSION VERSION_LESS ${ROCKPRESS_NEWEST_ROCKSDB}.999)
  message(WARNING "the adapter was made for RocksDB 10.4 to ${ROCKPRESS_NEWEST_ROCKSDB}; "
                  "${rocksdb_cxx_VERSION} may have changed the interface")
endif()
