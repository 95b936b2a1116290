# SPDX-License-Identifier: LGPL-2.1-or-later
# packages_need LIST...: make sure that every package of tests/packages/LIST is installed. Quiet when
# nothing is missing. Returns 1, with the reason in packages_why, when something stays missing.

packages_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../packages" && pwd)
packages_why=

packages_missing() {
    local list names

    names=$(for list in "$@"; do
        sed "s/#.*//; s/ \[$(dpkg --print-architecture)\]//; /\[/d" "$packages_dir/$list"
    done | tr -s ' \n' '\n' | sort -u)
    # shellcheck disable=SC2086
    comm -23 <(echo "$names" | grep .) \
        <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $names 2> /dev/null |
            sed -n 's/^ii *//p' | sort -u)
}

# The server package starts a system service and enables it. Neither is wanted here: the shim keeps
# it from starting, and what this installation enabled is disabled again. A server that was there
# before is left as it was.
packages_install() {
    local log shim=/usr/sbin/policy-rc.d made=no rc=0 server=no try

    log=$(mktemp) || return 1
    case " $* " in *" softether-vpnserver "*) server=yes ;; esac
    if [ ! -e "$shim" ]; then
        printf '#!/bin/sh\n# l2tpc tests: no service starts while packages are installed\nexit 101\n' \
            > "$shim" && chmod 755 "$shim" && made=yes
    fi
    for try in 1 2; do
        rc=0
        DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 \
            -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" > "$log" 2>&1 < /dev/null || rc=$?
        [ $rc = 0 ] && break
        # No package lists yet, or lists that are too old.
        [ $try = 1 ] && apt-get -qq -o DPkg::Lock::Timeout=300 update > "$log.update" 2>&1 < /dev/null
    done
    [ $made = yes ] && rm -f "$shim"
    if [ $server = yes ] && [ $rc = 0 ]; then
        if [ -d /run/systemd/system ]; then
            systemctl --quiet disable --now softether-vpnserver.service > /dev/null 2>&1
        else
            systemctl --quiet disable softether-vpnserver.service > /dev/null 2>&1 ||
                update-rc.d softether-vpnserver disable > /dev/null 2>&1
        fi
    fi
    if [ $rc != 0 ]; then
        packages_why="apt-get could not install $* ($(grep -m1 '^E:' "$log" || tail -n 1 "$log"))"
        sed 's/^/    /' "$log" | tail -n 5 >&2
    fi
    rm -f "$log" "$log.update"
    return $rc
}

packages_need() {
    local missing

    packages_why=
    if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null; then
        packages_why="this is not a Debian system; install by hand: $(packages_missing "$@" | tr '\n' ' ')"
        echo "packages: $packages_why" >&2
        return 1
    fi
    missing=$(packages_missing "$@" | tr '\n' ' ')
    [ -n "${missing// /}" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        packages_why="missing packages, and only root can install them: $missing"
        echo "packages: $packages_why" >&2
        return 1
    fi
    echo "packages: installing $missing"
    # shellcheck disable=SC2086
    packages_install $missing
}
