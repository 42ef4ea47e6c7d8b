# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What stock RocksDB says of a database: helpers to be sourced by bash.
#
# The tools of RocksDB 7.8 hide damage. `sst_dump --command=verify` reads every block but does not
# compare checksums without --verify_checksum; sst_dump exits with 0 when it has found corruption;
# `ldb dump` stops at a damaged block and exits with 0. So the text of each answer is checked, and
# the number of keys that come out against the number that the tables say they hold.

# Runs a command without the hook and without its configuration.
stock()
{
    env -u LD_PRELOAD -u ROCKPRESS_DEVICE -u ROCKPRESS_STATS "$@"
}

# table_files <database>: its SST files, one a line
table_files()
{
    find "$1" -maxdepth 1 -name '*.sst' | sort
}

# property <text of sst_dump --show_properties> <name>: a number, 0 when it is not there
property()
{
    awk -v name="  $2: " 'index($0, name) == 1 && !n { n = substr($0, length(name) + 1) }
        END { printf "%d\n", n }' <<<"$1"
}

# check_tables <database>: verifies each SST file twice: checksums of all its blocks, then every
# block decompressed and every key read in order. Sets tables_n, tables_blocks, tables_entries,
# tables_raw_bytes and tables_file_bytes; fails with a reason on stdout at the first bad file.
check_tables()
{
    local file answer
    tables_n=0 tables_blocks=0 tables_entries=0 tables_raw_bytes=0 tables_file_bytes=0
    while IFS= read -r file; do
        answer=$(stock sst_dump --file="$file" --command=verify --verify_checksum 2>&1) || true
        if ! grep -q '^The file is ok' <<<"$answer" || grep -qi 'corrupt' <<<"$answer"; then
            printf '%s: verify: %s\n' "$(basename "$file")" "$(tail -n 1 <<<"$answer")"
            return 1
        fi
        answer=$(stock sst_dump --file="$file" --command=check --verify_checksum \
            --show_properties 2>&1) || true
        if ! grep -q '^  # data blocks: ' <<<"$answer" || grep -qi 'corrupt' <<<"$answer"; then
            printf '%s: check: %s\n' "$(basename "$file")" "$(grep -i 'corrupt' <<<"$answer")"
            return 1
        fi
        tables_n=$((tables_n + 1))
        tables_blocks=$((tables_blocks + $(property "$answer" '# data blocks')))
        tables_entries=$((tables_entries + $(property "$answer" '# entries')))
        tables_raw_bytes=$((tables_raw_bytes + $(property "$answer" 'raw key size') + \
            $(property "$answer" 'raw value size')))
        tables_file_bytes=$((tables_file_bytes + $(stat -c %s "$file")))
    done < <(table_files "$1")
    if [ "$tables_n" -eq 0 ]; then
        printf 'no SST file in %s\n' "$1"
        return 1
    fi
}

# check_consistency <database>: the manifest against the files
check_consistency()
{
    local answer
    answer=$(stock ldb --db="$1" checkconsistency 2>&1) || true
    if [ "$answer" != OK ]; then
        printf 'ldb checkconsistency: %s\n' "$(tail -n 1 <<<"$answer")"
        return 1
    fi
}

# content_digest <database>: SHA-256 of all keys and values, in order
content_digest()
{
    stock ldb --db="$1" dump --hex 2>/dev/null | sha256sum | cut -d ' ' -f 1
}

# readable_keys <database>: how many keys ldb could read, each with its value
readable_keys()
{
    stock ldb --db="$1" dump --hex --count_only 2>/dev/null | awk '/^Keys in range:/ { print $4 }'
}
