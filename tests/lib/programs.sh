# SPDX-License-Identifier: LGPL-2.1-or-later
# A suite made of test programs that speak the manner of tests/unit/check.c: --list, case names as
# arguments, one line per case, "N passed, N failed, N skipped" at the end.
# programs_suite NAME VARIANT PREFIX SECONDS [WRAPPER...]: every program PREFIX-* of that build.

. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"
. "$(dirname "${BASH_SOURCE[0]}")/builds.sh"

programs_find() {   # directory, prefix
    find "$1" -maxdepth 4 -type f -name "$2-*" -perm -u+x ! -name '*.p' 2> /dev/null | sort
}

# Runs one program into FILE, its exit status into FILE.rc.
programs_run() {    # file, program, seconds, cases..., -- wrapper...
    local file=$1 exe=$2 seconds=$3 cases=()
    shift 3
    while [ $# -gt 0 ] && [ "$1" != -- ]; do cases+=("$1"); shift; done
    shift
    timeout -k 5 "$seconds" "$@" "$exe" "${cases[@]}" > "$file" 2>&1 < /dev/null
    echo $? > "$file.rc"
}

programs_count() {  # file, short name, seconds
    local file=$1 short=$2 seconds=$3 out rc last

    out=$(cat "$file") rc=$(cat "$file.rc")
    echo "$out" | sed -E "s,^(ok  |FAIL|SKIP) ([^ ]+),\1 $short/\2," |
        grep -vE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$'
    last=$(echo "$out" | grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' | tail -n 1)
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
        suite_passed=$((suite_passed + BASH_REMATCH[1]))
        suite_failed=$((suite_failed + BASH_REMATCH[2]))
        suite_skipped=$((suite_skipped + BASH_REMATCH[3]))
        # A sanitizer or memcheck may object although every case passed.
        if [ $rc != 0 ] && [ "${BASH_REMATCH[2]}" = 0 ]; then
            case_fail "$short/exit" "exit status $rc though every case passed"
        fi
    else
        case_fail "$short/exit" "ended with status $rc ($([ $rc = 124 ] && echo "after $seconds s" ||
            echo "crashed")) before its last line"
    fi
}

# PROGRAMS_JOBS of them at once; a sabotaged suite stops at the first one that is red.
programs_suite() {
    local name=$1 variant=$2 prefix=$3 seconds=$4 dir exe short w cases programs out running=0
    local jobs=${PROGRAMS_JOBS:-1} started=()
    shift 4
    sabotaged && jobs=1
    dir=$(build_dir "$variant")
    if ! build_variant "$variant"; then
        case_fail build "the $variant build failed"
        suite_end
    fi
    programs=$(programs_find "$dir" "$prefix")
    [ -n "$programs" ] || { case_skip all "the $variant build has no $prefix-* programs"; suite_end; }
    out=$(mktemp -d)
    for exe in $programs; do
        short=${exe##*/"$prefix"-}
        if [ $suite_listing = yes ]; then
            "$exe" --list | sed "s,^,$short/,"
            continue
        fi
        cases=()
        if [ ${#suite_wanted[@]} != 0 ]; then
            for w in "${suite_wanted[@]}"; do
                case $w in
                "$short" | "$short/*") cases=(); break ;;
                "$short"/*) cases+=("${w#*/}") ;;
                esac
            done
            [ "${#cases[@]}" != 0 ] || case " ${suite_wanted[*]} " in
            *" $short "* | *" $short/* "*) ;;
            *) continue ;;
            esac
        fi
        if [ $running -ge "$jobs" ]; then
            wait -n
            running=$((running - 1))
        fi
        programs_run "$out/$short" "$exe" "$seconds" "${cases[@]}" -- "$@" &
        running=$((running + 1))
        started+=("$short")
        sabotaged || continue
        wait
        grep -q '^FAIL' "$out/$short" && break
    done
    wait
    for short in "${started[@]}"; do
        programs_count "$out/$short" "$short" "$seconds"
    done
    rm -rf "$out"
    suite_end
}
