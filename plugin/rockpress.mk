# SPDX-License-Identifier: Apache-2.0
# For a RocksDB that is built with rockpress inside, by RocksDB's own Makefile or CMake:
#
#     cmake --install build                                # librockpress_plugin.a, of this project
#     ln -s <this folder> <rocksdb>/plugin/rockpress
#     make ROCKSDB_PLUGINS=rockpress ...                   # or cmake -DROCKSDB_PLUGINS=rockpress
#
# ROCKPRESS_PREFIX is where it was installed. RocksDB's CMake reads the lines with SOURCES, _FUNC and
# _LIBS of this file by their text, so they have no variables in them.
ROCKPRESS_PREFIX ?= /usr/local
rockpress_SOURCES = rocksdb_adapter.cc
rockpress_FUNC = rockpress_register_plugin
rockpress_LIBS = rockpress_plugin
rockpress_CXXFLAGS = -Iplugin/rockpress/.. -Iplugin/rockpress/../include
rockpress_LDFLAGS = -L$(ROCKPRESS_PREFIX)/lib
