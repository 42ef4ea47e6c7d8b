# SPDX-License-Identifier: Apache-2.0
# For a RocksDB that is built with rockpress inside, by RocksDB's own Makefile or CMake:
#
#     cmake --install build                                # librockpress_plugin.a, of this project
#     ln -s <this folder> <rocksdb>/plugin/rockpress
#     make ROCKSDB_PLUGINS=rockpress ...                   # or cmake -DROCKSDB_PLUGINS=rockpress
#
# ROCKPRESS_PREFIX is where it was installed, if not /usr/local. RocksDB's CMake reads the lines with
# SOURCES, _FUNC and _LIBS of this file by their text, so they have no variables in them. make puts
# the adapter's object into this folder, and its clean does not follow the link: remove *.o before
# another RocksDB's turn.
ROCKPRESS_PREFIX ?= /usr/local
rockpress_SOURCES = rocksdb_adapter.cc
rockpress_FUNC = rockpress_register_plugin
rockpress_LIBS = rockpress_plugin
rockpress_CXXFLAGS = -Iplugin/rockpress/../.. -Iplugin/rockpress/../../include
# RocksDB's Makefile, unlike its CMake, does not look at _LIBS.
rockpress_LDFLAGS = -L$(ROCKPRESS_PREFIX)/lib -L$(ROCKPRESS_PREFIX)/lib64 -lrockpress_plugin
