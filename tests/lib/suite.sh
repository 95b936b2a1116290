# SPDX-License-Identifier: LGPL-2.1-or-later
# What every suite written in bash does the same way. A suite sources this file, calls
# suite_begin NAME "$@", then `want CASE && { ... case_ok CASE | case_fail CASE WHY | case_skip CASE WHY; }`
# for each case, then suite_end. With --list it only prints the names of its cases.

suite_passed=0 suite_failed=0 suite_skipped=0
suite_listing=no suite_name= suite_wanted=()

sabotaged() { [ "${L2TPC_SABOTAGE:-0}" = 1 ]; }

suite_begin() {
    suite_name=$1
    shift
    suite_wanted=()
    while [ $# -gt 0 ]; do
        case $1 in
        --list) suite_listing=yes ;;
        -*) echo "usage: [L2TPC_SABOTAGE=1] $0 [--list] [CASE...]" >&2; exit 2 ;;
        *) suite_wanted+=("$1") ;;
        esac
        shift
    done
}

# Is this case to be run now? (While listing it prints the name and says no.)
want() {
    local w

    if [ $suite_listing = yes ]; then
        echo "$1"
        return 1
    fi
    [ ${#suite_wanted[@]} = 0 ] && return 0
    for w in "${suite_wanted[@]}"; do
        # shellcheck disable=SC2053
        [[ $1 == $w ]] && return 0
    done
    return 1
}

case_ok() { suite_passed=$((suite_passed + 1)); echo "ok   $1"; }

case_fail() {   # name, reason (may have several lines)
    suite_failed=$((suite_failed + 1))
    [ -n "${2:-}" ] && printf '%s\n' "$2" | sed 's/^/    /'
    echo "FAIL $1"
}

case_skip() {
    suite_skipped=$((suite_skipped + 1))
    echo "    SKIPPED: $2"
    echo "SKIP $1"
}

# Run a command; its output is the reason when it fails.
case_run() {
    local name=$1 out

    shift
    if out=$("$@" 2>&1); then
        case_ok "$name"
    else
        case_fail "$name" "$out"
    fi
}

suite_end() {
    [ $suite_listing = yes ] && exit 0
    echo "$suite_passed passed, $suite_failed failed, $suite_skipped skipped"
    [ $suite_failed = 0 ] && [ $((suite_passed + suite_skipped)) -gt 0 ]
    exit
}
