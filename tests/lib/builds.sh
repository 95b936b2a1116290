# SPDX-License-Identifier: LGPL-2.1-or-later
# The ways the tree is built for tests. build_variant NAME configures (once, and again when its
# options change) and compiles; build_dir NAME prints where.

builds_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
builds_root=${L2TPC_BUILD:-$builds_top/build}

build_names() { echo sanitize clang release core; } # what tests/run builds; others come when asked for

build_dir() { echo "$builds_root/$1"; }

build_options() {
    case $1 in
    sanitize) echo "-Dtest_hooks=true -Db_sanitize=address,undefined -Db_lundef=false" ;;
    clang) echo "-Dtest_hooks=true" ;;
    release) echo "-Dbuildtype=release -Db_ndebug=true" ;;
    core) echo "-Dio=false -Db_ndebug=false" ;;
    fuzz) echo "-Dfuzz=true -Dtest_hooks=true -Db_lundef=false" ;;
    bench) echo "-Dbuildtype=release -Db_ndebug=true -Dtest_hooks=true -Dio=false" ;;
    threads) echo "-Dtest_hooks=true -Db_sanitize=thread -Db_lundef=false -Dgui=disabled -Dnm_plugin=disabled" ;;
    demo) echo "-Dbuildtype=release -Db_ndebug=true -Dtests=false" ;;
    *) echo "builds: no variant $1" >&2; return 1 ;;
    esac
}

# What of it is compiled; nothing: all.
build_targets() {
    case $1 in
    threads) printf 'tests/io/io-%s ' lanes ring hub plane loop work resolver ;;
    esac
}

build_compiler() {
    case $1 in clang | fuzz) echo clang ;; *) echo gcc ;; esac
}

build_variant() {
    local name=$1 dir options cc log mark

    dir=$(build_dir "$name") && options=$(build_options "$name") || return 1
    cc=$(build_compiler "$name")
    mark="CC=$cc --werror $options $(cat "$builds_top/meson_options.txt" | cksum)"
    log=$builds_root/$name.log
    mkdir -p "$builds_root" || return 1
    if [ ! -f "$dir/build.ninja" ] || [ "$(cat "$dir.options" 2> /dev/null)" != "$mark" ]; then
        rm -rf "${dir:?}"
        # shellcheck disable=SC2086
        if ! CC=$cc meson setup --werror $options "$dir" "$builds_top" > "$log" 2>&1 < /dev/null; then
            rm -rf "${dir:?}"
            tail -n 25 "$log"
            return 1
        fi
        echo "$mark" > "$dir.options"
    fi
    # shellcheck disable=SC2046
    if ! ninja -j "${L2TPC_JOBS:-2}" -C "$dir" $(build_targets "$name") > "$log" 2>&1 < /dev/null; then
        grep -E -A 12 'error:|FAILED|warning:|undefined reference' "$log" | head -n 60 ||
            tail -n 25 "$log"
        return 1
    fi
}

build_program() {   # variant, name: where that program is
    find "$(build_dir "$1")" -maxdepth 4 -type f -name "$2" -perm -u+x 2> /dev/null | head -n 1
}
