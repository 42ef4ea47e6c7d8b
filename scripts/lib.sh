# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Helpers that scripts/demo and scripts/test share. To be sourced by bash, not run.

script_name=$(basename "$0")
install_packages=yes

note()
{
    printf '%s\n' "$*"
}

# A step of the run, with the seconds since the script began.
step()
{
    printf '[%4ds] %s\n' "$SECONDS" "$*"
}

die()
{
    printf '%s: %s\n' "$script_name" "$*" >&2
    exit 1
}

# A mistake on the command line: status 2, as is usual.
usage_error()
{
    printf '%s: %s (see %s --help)\n' "$script_name" "$*" "$script_name" >&2
    exit 2
}

# The leading comment of the calling script is its help text.
print_help()
{
    awk 'NR > 2 && !/^#/ { exit } NR > 2 { sub(/^# ?/, ""); print }' "$0"
}

have()
{
    command -v "$1" >/dev/null 2>&1
}

# in_range <value> <lowest> <highest>: whether it is a whole number in that range
in_range()
{
    [[ $1 =~ ^[1-9][0-9]{0,11}$ ]] && [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

cpu_count()
{
    nproc 2>/dev/null || getconf _NPROCESSORS_ONLN
}

# The path of NVIDIA's compiler, empty without one: CUDACXX, PATH, where its packages put it.
find_nvcc()
{
    local nvcc
    for nvcc in "${CUDACXX:-}" nvcc "${CUDA_PATH:-/usr/local/cuda}/bin/nvcc"; do
        if [ -n "$nvcc" ] && command -v "$nvcc"; then
            return 0
        fi
    done
    return 0
}

# have_header <header>: whether the C compiler finds it. Also false without a compiler.
have_header()
{
    have cc && printf '#include <%s>\n' "$1" | cc -E -x c - >/dev/null 2>&1
}

# missing_packages <probe>=<package>...: prints the Debian packages whose probe fails. A probe is
# the name of a command, or header:<path>; one of a|b is enough.
missing_packages()
{
    local pair probe package found alternative
    for pair in "$@"; do
        probe=${pair%%=*}
        package=${pair#*=}
        found=no
        for alternative in ${probe//|/ }; do
            case $alternative in
            header:*) have_header "${alternative#header:}" && found=yes ;;
            *) have "$alternative" && found=yes ;;
            esac
        done
        [ $found = yes ] || printf '%s\n' "$package"
    done
    return 0
}

# The prefix that turns a command into one of the superuser's; fails when there is no way to.
superuser()
{
    if [ "$(id -u)" -eq 0 ]; then
        printf 'env'
    elif have sudo && sudo -n true 2>/dev/null; then
        printf 'sudo -n env'
    else
        return 1
    fi
}

# apt_install <package>...
apt_install()
{
    local as_root log
    have apt-get || die "missing: $* (named as in Debian; there is no apt-get here to install them)"
    as_root=$(superuser) ||
        die "missing: $*; run as root or with passwordless sudo, or first: apt-get install $*"
    step "installing with apt-get: $*"
    log=$(mktemp)
    # shellcheck disable=SC2086 # as_root is several words on purpose
    if ! { $as_root apt-get -q -o DPkg::Lock::Timeout=120 update &&
        $as_root DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 \
            install --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        die "apt-get could not install: $*"
    fi
    rm -f "$log"
    hash -r
}

# require_packages <probe>=<package>...: installs what is missing, or says what is and stops.
# With install_packages=no it only says so.
require_packages()
{
    local missing
    mapfile -t missing < <(missing_packages "$@" | sort -u)
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$install_packages" = yes ] || die "missing: ${missing[*]} (not installing, as asked)"
    apt_install "${missing[@]}"
    mapfile -t missing < <(missing_packages "$@" | sort -u)
    [ ${#missing[@]} -eq 0 ] || die "still missing after the installation: ${missing[*]}"
}
