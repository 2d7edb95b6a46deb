#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# demands.sh [CASE]... - what the peers file demands of a peer's threads

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"
# shellcheck source=tests/journey/stations.sh
. "${srcdir:-.}/tests/journey/stations.sh"

# What is demanded of heaps is said when a session opens, and has changed since.
demanding() {
    cp -a "$certs/b" "$dir/b"
    station a 0
    certs=$dir station b 1
    tell b serve 0
    tell a ask "127.0.0.1:${ports[b]}"
    await_said a asked
    sed -i '/^peer .*\/a /s/$/ attest=full/' "$dir/b/peers"
    tell a start one 0 "127.0.0.1:${ports[b]}"
    await_said a "one stays: $(strerror ATTEST_MISSING)"
    expect_error b ATTEST_MISSING 'the peers file demands'
    tell a start two 0 "127.0.0.1:${ports[b]}"
    await_said b 'two ends'
}

# Each peer may have so much here, and no more until some of it has gone.
quota() { # words of the peers file
    cp -a "$certs/b" "$dir/b"
    sed -i "/^peer /s/\$/ $1/" "$dir/b/peers"
    station a 0
    station c 0
    certs=$dir station b 1
    tell b serve 0
    tell a start one 0w "127.0.0.1:${ports[b]}"
    await_said b 'one has come'
    tell a start two 0 "127.0.0.1:${ports[b]}"
    await_said a "two stays: $(strerror OVER_QUOTA)"
    expect_error b OVER_QUOTA "raise ${1%=*} in the peers file"
    tell c start other 0 "127.0.0.1:${ports[b]}"
    await_said b 'other ends'
    tell b free
    await_said b 'one ends'
    await_listed b 'listed 0'
    tell a start three 0 "127.0.0.1:${ports[b]}"
    await_said b 'three ends'
}

quota_threads() {
    quota max-threads=1
}

quota_bytes() {
    quota max-bytes=255M
}

for name in demanding quota_threads quota_bytes; do
    start_case "$name" with_stations "$name"
done
finish
