# SPDX-License-Identifier: Apache-2.0
# For RocksDB's CMake, with ROCKSDB_PLUGINS=rockpress: what rockpress.mk cannot tell it.
set(ROCKPRESS_PREFIX /usr/local CACHE PATH "Where rockpress is installed")
get_filename_component(rockpress_root ${CMAKE_CURRENT_LIST_DIR} REALPATH)
get_filename_component(rockpress_root ${rockpress_root} DIRECTORY)
set(rockpress_INCLUDE_PATHS ${rockpress_root} ${rockpress_root}/include PARENT_SCOPE)
set(rockpress_LINK_PATHS ${ROCKPRESS_PREFIX}/lib ${ROCKPRESS_PREFIX}/lib64 PARENT_SCOPE)
