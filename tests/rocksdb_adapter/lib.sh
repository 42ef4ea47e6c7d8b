# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Reading C++ headers, for the tests that compare interfaces. To be sourced, with the tree in $tree.

: "${tree:?}"
here=$tree/tests/rocksdb_adapter
cxx=${CXX:-c++}

skip()
{
    printf 'skipped: %s\n' "$*"
    exit 77
}

need_cxx()
{
    command -v "$cxx" >/dev/null || skip "no C++ compiler"
}

# functions <class> <keyword>: of a preprocessed file, the functions of a class that are declared with
# `virtual` or with `override`, as name/number of parameters, with their const.
functions()
{
    awk -v class="$1" -v keyword="$2" '
        $0 ~ ("^class " class "( |$)") && !/;$/ { inside = 1 }
        inside { text = text " " $0 }
        inside && /^};/ { inside = 0 }
        function n_parameters(list,    i, c, depth, n) {
            if (list ~ /^ *$/) return 0
            n = 1
            for (i = 1; i <= length(list); i++) {
                c = substr(list, i, 1)
                if (c ~ /[<(]/) depth++
                else if (c ~ /[>)]/) depth--
                else if (c == "," && depth == 0) n++
            }
            return n
        }
        function describe(declaration,    head, list, tail, open, close_at, i, n, words) {
            if (declaration ~ /~/ || !(open = index(declaration, "("))) return
            if (declaration !~ /[)]/) { print "unreadable: " declaration; return }
            for (i = length(declaration); substr(declaration, i, 1) != ")"; i--) ;
            close_at = i
            head = substr(declaration, 1, open - 1)
            list = substr(declaration, open + 1, close_at - open - 1)
            tail = substr(declaration, close_at + 1)
            n = split(head, words, /[ *&>]+/)
            print words[n] "/" n_parameters(list) (tail ~ /const/ ? " const" : "")
        }
        END {
            if (!match(text, "class " class " *(final *)?(: *public [^{]*)?[{]")) exit
            text = substr(text, RSTART + RLENGTH)
            depth = 1
            for (i = 1; i <= length(text) && depth > 0; i++) {
                c = substr(text, i, 1)
                if (c == "{") depth++
                else if (c == "}") depth--
                # What lies deeper is bodies and nested classes.
                if (depth == 1) body = body (c == "}" ? ";" : c)
                else if (depth == 2 && c == "{") body = body ";"
            }
            gsub(/(public|private|protected) *:/, ";", body)
            n = split(body, declarations, ";")
            for (i = 1; i <= n; i++)
                if (declarations[i] ~ ("(^|[^A-Za-z_])" keyword "($|[^A-Za-z_])"))
                    describe(declarations[i])
        }' | sort
}

# preprocess <file> <option>...
preprocess()
{
    local file=$1
    shift
    printf '#include "%s"\n' "$file" | "$cxx" -x c++ -std=c++20 -E -P "$@" -
}

# stand_in_options <major> <minor>
stand_in_options()
{
    printf '%s\n' "-DSTAND_IN_MAJOR=$1" "-DSTAND_IN_MINOR=$2" "-I$here/stand_in" \
        "-I$tree/include" "-I$tree"
}
