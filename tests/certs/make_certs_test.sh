#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# make_certs_test.sh - does certs/make-certs.sh make what it promises?
#
# usage: make_certs_test.sh [PART]...    only these functions test_PART
#
# In: $srcdir (default .), the top of the source tree.  Makes deployments in a
# temporary directory and looks at every file with the openssl command: modes,
# keys, certificates, CRL, peers files, --add, --renew, refusals, failures in
# the middle; and that bad_certs.sh, fed with one, makes bad certificates.  Out:
# one line per expectation that does not hold; exit status 0, 1, or 77 where
# there is no openssl 3.

set -uo pipefail
export LC_ALL=C
unset CDPATH OPENSSL_CONF

srcdir=$(cd -- "${srcdir:-.}" && pwd) || exit 1
make_certs=$srcdir/certs/make-certs.sh
bad_certs=$srcdir/tests/certs/bad_certs.sh
[[ $(openssl version 2>/dev/null) == "OpenSSL "[3-9]* ]] ||
    { echo "skipped: there is no openssl 3 here"; exit 77; }

top=$(mktemp -d) || exit 1
trap 'rm -rf -- "$top"' EXIT
cd "$top" || exit 1
failures=0
d=$top/deployment
spiffe=spiffe://psu-thread.internal/psu-thread
host_files="ca.crt crl.pem deployment.key host.crt host.key peers sign.key"

# ---- expectations

complain() {
    printf 'FAILED: %s\n' "$*"
    failures=$((failures + 1))
}

same() { # what, expected, seen
    [[ $2 == "$3" ]] || complain "$1: expected '$2', saw '$3'"
}

holds() { # what, command...
    "${@:2}" >"$top/said" 2>&1 || complain "$1: $(tail -n 3 "$top/said")"
}

fails() { # what, command...
    ! "${@:2}" >"$top/said" 2>&1 || complain "$1: unexpectedly succeeded"
}

# ---- what openssl says

snapshot() {
    find "$1" -printf '%P %y %m\n' | sort
    find "$1" -type f -exec sha256sum {} + | sort
}

public_of_key() { openssl pkey -in "$1" -pubout; }
public_of_cert() { openssl x509 -in "$1" -noout -pubkey; }
raw_public() {
    openssl pkey -in "$1" -pubout -outform DER | tail -c 32 | base64
}

extension() { # certificate, extension: its value, on one line
    openssl x509 -in "$1" -noout -ext "$2" 2>/dev/null | sed '1d; s/^ *//'
}

seconds() { # certificate, startdate or enddate
    date -d "$(openssl x509 -in "$1" -noout "-$2" | cut -d= -f2)" +%s
}

verifies() { # host directory, certificate, more options...
    openssl verify -x509_strict -crl_check_all -CAfile "$1/ca.crt" \
        -CRLfile "$1/crl.pem" "${@:3}" "$2"
}

near() { # what, expected, seen: seconds, at most two minutes apart
    (($3 - $2 < 120 && $2 - $3 < 120)) ||
        complain "$1: $3 is not near $2"
}

# ---- a deployment of three hosts

test_layout() {
    local host file
    same "hosts made" "a b.example.org c ca" \
        "$(cd "$d" && echo * | tr '\n' ' ' | sed 's/ $//')"
    same "nothing hidden is left" "" "$(find "$d" -name '.*')"
    for host in a b.example.org c; do
        same "files of $host" "$host_files" "$(cd "$d/$host" && echo *)"
    done
    same "directories are 0700" "" "$(find "$d" -type d ! -perm 0700)"
    same "files are 0600" "" "$(find "$d" -type f ! -perm 0600)"
    same "only directories and files" "" "$(find "$d" ! -type d ! -type f)"

    # Look for the CA's key by its bytes, not by its name.
    file=$(sed -n 2p "$d/ca/ca.key")
    same "ca.key has a body" 64 "${#file}"
    same "where ca.key is" "$d/ca/ca.key" "$(grep -rlF -- "$file" "$d")"
    find "$d" -name '*.key' -exec grep -hv -- '-----' {} + >bodies
    holds "there are key bodies" test "$(wc -l <bodies)" = 11
    fails "a private key is printed" grep -qFf bodies first.out first.err
    fails "a key is printed" grep -q "PRIVATE KEY" first.out first.err
}

test_keys() {
    local host file
    for host in a b.example.org c; do
        for file in host.key sign.key; do
            same "$host/$file is PKCS8" "-----BEGIN PRIVATE KEY-----" \
                "$(head -n 1 "$d/$host/$file")"
            same "$host/$file is Ed25519" "ED25519 Private-Key:" \
                "$(openssl pkey -in "$d/$host/$file" -noout -text | head -n 1)"
        done
        same "host.crt of $host is for host.key" \
            "$(public_of_key "$d/$host/host.key")" \
            "$(public_of_cert "$d/$host/host.crt")"
        holds "deployment.key of $host is the CA's" \
            cmp "$d/ca/deployment.key" "$d/$host/deployment.key"
    done
    holds "ca.key is Ed25519" grep -q ED25519 \
        <(openssl pkey -in "$d/ca/ca.key" -noout -text)
    same "all seven keys differ" 7 \
        "$(cat "$d"/*/*.key | grep -v -- '-----' | grep -v '^[0-9a-f]*$' |
            sort -u | wc -l)"
    same "deployment.key is one line of 64 and a newline" "1 65" \
        "$(wc -lc <"$d/a/deployment.key" | awk '{print $1, $2}')"
    holds "deployment.key is hexadecimal" \
        grep -qE '^[0-9a-f]{64}$' "$d/a/deployment.key"
}

test_host_certificates() {
    local host cert
    for host in a b.example.org c; do
        cert=$d/$host/host.crt
        holds "$host has X.509 version 3" grep -q 'Version: 3' \
            <(openssl x509 -in "$cert" -noout -text)
        same "$host is no CA" CA:FALSE "$(extension "$cert" basicConstraints)"
        same "$host's key usage" "Digital Signature" \
            "$(extension "$cert" keyUsage)"
        same "$host's critical extensions" 2 \
            "$(openssl x509 -in "$cert" -noout -text | grep -c ': critical')"
        same "$host's extended key usage" \
            "TLS Web Server Authentication, TLS Web Client Authentication" \
            "$(extension "$cert" extendedKeyUsage)"
        holds "$host has a subject key id" \
            test -n "$(extension "$cert" subjectKeyIdentifier)"
        same "$host's authority key id" \
            "$(extension "$d/ca/ca.crt" subjectKeyIdentifier)" \
            "$(extension "$cert" authorityKeyIdentifier)"
        near "$host's beginning" $((made - 3600)) "$(seconds "$cert" startdate)"
        near "$host's end" $((made + 365 * 86400)) "$(seconds "$cert" enddate)"
        holds "ca.crt of $host" cmp "$d/ca/ca.crt" "$d/$host/ca.crt"
    done
    same "names of a" \
        "URI:$spiffe/a, DNS:a, IP Address:127.0.0.1, DNS:localhost" \
        "$(extension "$d/a/host.crt" subjectAltName)"
    same "names of b" "URI:$spiffe/b.example.org, DNS:b.example.org,\
 IP Address:2001:DB8:0:0:0:0:0:1, IP Address:0:0:0:0:0:FFFF:A00:1" \
        "$(extension "$d/b.example.org/host.crt" subjectAltName)"
    same "names of c" "URI:$spiffe/c, DNS:c" \
        "$(extension "$d/c/host.crt" subjectAltName)"
}

test_ca_certificate() {
    local cert=$d/ca/ca.crt
    same "the CA's constraints" "CA:TRUE, pathlen:0" \
        "$(extension "$cert" basicConstraints)"
    same "the CA's key usage" "Certificate Sign, CRL Sign" \
        "$(extension "$cert" keyUsage)"
    same "the CA's critical extensions" 2 \
        "$(openssl x509 -in "$cert" -noout -text | grep -c ': critical')"
    near "the CA's end" $((made + 3650 * 86400)) "$(seconds "$cert" enddate)"
}

test_verification() {
    local host purpose
    for host in a b.example.org c; do
        for purpose in sslserver sslclient; do
            holds "$host verifies as $purpose" \
                verifies "$d/a" "$d/$host/host.crt" -purpose "$purpose"
        done
        holds "$host verifies to its end" verifies "$d/$host" \
            "$d/$host/host.crt" -attime $((made + 365 * 86400 - 120))
    done
    fails "an expired certificate verifies" verifies "$d/a" \
        "$d/a/host.crt" -attime $((made + 366 * 86400))
    holds "the CRL is empty" grep -q 'No Revoked Certificates' \
        <(openssl crl -in "$d/a/crl.pem" -noout -text)
}

# Every line of a peers file: comment, blank, self or peer, as specified.
peers_are() { # deployment, host, its zone, "name:zone" of the others...
    local file=$1/$2/peers other
    same "odd lines in peers of $2" "" "$(grep -vE \
        "^(#.*)?$|^self id=[^ ]+ zone=[0-9]+$|^peer id=[^ ]+ zone=[0-9]+ \
sign=[A-Za-z0-9+/]{43}= direction=both$" "$file")"
    same "peers of $2 begin with" "#" "$(head -c 1 "$file")"
    same "self of $2" "self id=$spiffe/$2 zone=$3" "$(grep '^self' "$file")"
    for other in "${@:4}"; do
        printf 'peer id=%s zone=%s sign=%s direction=both\n' \
            "$spiffe/${other%:*}" "${other#*:}" \
            "$(raw_public "$1/${other%:*}/sign.key")"
    done >"$top/expected"
    same "peers of $2" "$(<"$top/expected")" "$(grep '^peer' "$file")"
}

test_peers() {
    peers_are "$d" a 0 b.example.org:1 c:2
    peers_are "$d" b.example.org 1 a:0 c:2
    peers_are "$d" c 2 a:0 b.example.org:1
}

# ---- adding hosts; c was moved to its machine

test_add() {
    local crl_end ca_key
    mv "$d/c" "$top/c-elsewhere"
    ca_key=$(<"$d/ca/ca.key")
    sed -i 's/direction=both/direction=send/; $a# the owner wrote this' \
        "$d/a/peers"
    cp "$d/a/peers" a-before
    holds "--add" run_add --days 700 "$d" e=192.0.2.7 f

    same "files of e" "$host_files" "$(cd "$d/e" && echo *)"
    same "nothing hidden is left" "" "$(find "$d" -name '.*')"
    same "modes" "" "$(find "$d" -type d ! -perm 0700 -o -type f ! -perm 0600)"
    same "the CA's key stays" "$ca_key" "$(<"$d/ca/ca.key")"
    same "names of e" "URI:$spiffe/e, DNS:e, IP Address:192.0.2.7" \
        "$(extension "$d/e/host.crt" subjectAltName)"
    holds "deployment.key of e" cmp "$d/ca/deployment.key" "$d/e/deployment.key"

    # The lines on stdout are those that a host elsewhere needs.
    holds "stdout explains itself" grep -q '^# Append' add.out
    grep -v '^#' add.out >add.lines
    same "lines on stdout" 2 "$(wc -l <add.lines)"
    same "a's file goes on with them" "$(cat a-before add.lines)" \
        "$(<"$d/a/peers")"
    cat add.lines >>"$top/c-elsewhere/peers"
    mv "$top/c-elsewhere" "$d/c"
    peers_are "$d" b.example.org 1 a:0 c:2 e:3 f:4
    peers_are "$d" c 2 a:0 b.example.org:1 e:3 f:4
    peers_are "$d" e 3 a:0 b.example.org:1 c:2 f:4
    peers_are "$d" f 4 a:0 b.example.org:1 c:2 e:3

    holds "e verifies at a" verifies "$d/a" "$d/e/host.crt"
    holds "a verifies at e" verifies "$d/e" "$d/a/host.crt"
    crl_end=$((made + 700 * 86400 - 120))
    holds "e verifies to its end" \
        verifies "$d/e" "$d/e/host.crt" -attime "$crl_end"
    holds "a shorter --add" run_add --days 2 "$d" g
    holds "does not shorten the CRL" \
        verifies "$d/e" "$d/e/host.crt" -attime "$crl_end"
}

run_add() {
    "$make_certs" --add "$@" >add.out 2>add.err
}

# ---- renewing

run_renew() {
    "$make_certs" --renew "$@" >renew.out 2>renew.err
}

# What is new in a directory against a copy of it.
changed() { # before, now
    diff -rq "$1" "$2" | grep -v '/ca/issued: ' |
        sed "s|^Files $1/\(.*\) and .* differ\$|\1|" | sort | xargs
}

renewed_is() { # before, now, host, new end
    local old=$1/$3/host.crt new=$2/$3/host.crt part
    same "key of the renewed $3" "$(public_of_key "$1/$3/host.key")" \
        "$(public_of_cert "$new")"
    for part in subjectAltName basicConstraints keyUsage extendedKeyUsage \
        subjectKeyIdentifier authorityKeyIdentifier; do
        same "$part of the renewed $3" "$(extension "$old" $part)" \
            "$(extension "$new" $part)"
    done
    same "subject of the renewed $3" \
        "$(openssl x509 -in "$old" -noout -subject)" \
        "$(openssl x509 -in "$new" -noout -subject)"
    near "end of the renewed $3" "$4" "$(seconds "$new" enddate)"
    holds "the renewed $3 verifies" verifies "$2/$3" "$new" -purpose sslclient
    holds "the renewed $3 verifies elsewhere" verifies "$1/$3" "$new"
    holds "the old $3 verifies still" verifies "$2/$3" "$old"
    holds "$new is told" grep -q "^  .*/$3/host.crt  to $3\$" renew.out
}

test_renewal() {
    local crls host
    cp -a "$d" before
    crls="a/crl.pem b.example.org/crl.pem c/crl.pem"
    holds "--renew of two" run_renew --days 500 "$d" b.example.org a
    same "what it changes" "a/crl.pem a/host.crt b.example.org/crl.pem\
 b.example.org/host.crt c/crl.pem ca/crl.pem ca/crlnumber ca/index.txt" \
        "$(changed before "$d")"
    same "certificates issued" 6 "$(find "$d/ca/issued" -type f | wc -l)"
    for host in a b.example.org; do
        renewed_is before "$d" $host $((made + 500 * 86400))
    done
    same "stderr of --renew" "" "$(<renew.err)"
    holds "crl.pem is told" grep -q 'crl\.pem  to every host$' renew.out
    same "modes" "" "$(find "$d" -type d ! -perm 0700 -o -type f ! -perm 0600)"
    same "nothing hidden is left" "" "$(find "$d" -name '.*')"
    for host in $crls; do
        holds "$host is the CA's" cmp "$d/ca/crl.pem" "$d/$host"
    done

    rm -rf before
    cp -a "$d" before
    holds "--renew of all" run_renew "$d"
    for host in a b.example.org c; do
        renewed_is before "$d" $host $((made + 365 * 86400))
    done
    near "the end of the CRL stays" $((made + 500 * 86400)) "$(date +%s -d \
        "$(openssl crl -in "$d/c/crl.pem" -noout -nextupdate | cut -d= -f2)")"
    rm -rf before
}

# All that is in a deployment has expired but the CA.
test_revival() {
    mkdir clock
    cat >clock/date <<END
#!/bin/sh
[ "\$*" != +%s ] || exec "$(command -v date)" -d '-30 days' +%s
exec "$(command -v date)" "\$@"
END
    chmod +x clock/date
    PATH=$top/clock:$PATH holds "a deployment of last month" \
        "$make_certs" --days 10 past a=127.0.0.1 b
    fails "its a verifies" verifies past/b past/a/host.crt
    cp -a past past-before
    holds "it is renewed" run_renew past
    holds "its a verifies now" verifies past/b past/a/host.crt
    holds "its b verifies now" verifies past/a past/b/host.crt
    same "names of its a" "$(extension past-before/a/host.crt subjectAltName)" \
        "$(extension past/a/host.crt subjectAltName)"

    # Not beyond the CA's own end.
    holds "to the CA's end" run_renew --days 3650 past a
    same "is the CA's end" "$(seconds past/ca/ca.crt enddate)" \
        "$(seconds past/a/host.crt enddate)"
}

# The CA signs something else for a host: its names.
sign_for() { # deployment, host, subjectAltName
    local csr=$top/odd.csr
    openssl req -new -config "$1/ca/openssl.cnf" -key "$1/$2/host.key" \
        -subj "/O=psu-thread.internal/CN=$2" -out "$csr" &&
        (cd "$1/ca" && openssl ca -batch -notext -config openssl.cnf \
            -extfile <(printf 'subjectAltName = %s\n' "$3") -in "$csr" \
            -out "../$2/host.crt") 2>ca.log
}

revoke() { # deployment, host: only the certificate that it has
    (cd "$1/ca" && openssl ca -config openssl.cnf \
        -revoke "../$2/host.crt") 2>ca.log || complain "$(<ca.log)"
}

test_renewal_refusals() {
    local names host
    cp -a "$d" odd
    refuses_renewal() { # what it must say, arguments...
        watch odd
        refuses "$1" --renew "${@:2}"
        rm -rf odd
        cp -a "$d" odd
    }
    refuses_renewal "has no host 'x'" odd a x
    refuses_renewal "given twice" odd a a
    refuses_renewal "keeps the addresses of 'a'" odd a=127.0.0.1
    refuses_renewal "exclude one another" --add odd a
    refuses_renewal "exclude one another" --domain x odd a
    refuses_renewal "is no directory" none/nowhere
    refuses_renewal "a directory and at least one host"
    rm odd/ca/ca.key
    refuses_renewal "ca.key' cannot be read" odd a
    rm -r odd/b.example.org
    refuses_renewal "b.example.org/host.crt' cannot be read" odd
    rm odd/a/host.key
    refuses_renewal "a/host.key' cannot be read" odd a
    cp odd/c/host.key odd/a
    refuses_renewal "a/host.key' does not fit" odd c a
    : >odd/a/host.key
    refuses_renewal "a/host.key' does not fit" odd a
    cp odd/c/host.* odd/a
    refuses_renewal "a/host.crt' is not for 'a'" odd a

    # Names that its owner put into a certificate are not signed for him.
    openssl req -x509 -key odd/a/host.key -subj /CN=a -out odd/a/host.crt \
        -addext "subjectAltName=URI:$spiffe/a,DNS:a,DNS:c"
    refuses_renewal "a/host.crt' is not signed by this CA" odd a
    : >odd/a/host.crt
    refuses_renewal "a/host.crt' is not signed by this CA" odd a
    for names in DNS:a "URI:$spiffe/a" "URI:$spiffe/a,DNS:aa" \
        "URI:$spiffe/c,DNS:c" email:a@example.org; do
        holds "a certificate of $names" sign_for odd a "$names"
        refuses_renewal "a/host.crt' is not for 'a'" odd a
    done
    for names in 'DNS:*.x' email:a@example.org "URI:$spiffe/c"; do
        holds "a certificate of $names" \
            sign_for odd a "URI:$spiffe/a,DNS:a,$names"
        refuses_renewal "of 'a' is not valid" odd a
    done
    holds "a name like an address" \
        sign_for odd a "URI:$spiffe/a,DNS:a,DNS:10.0.0.1"
    refuses_renewal "cannot be kept" odd a
    echo '../odd/a 9 x' >>odd/ca/hosts
    refuses_renewal "host name.*not valid" odd
    for host in a b.example.org c; do
        revoke odd $host
    done
    refuses_renewal "all hosts were revoked" odd
    revoke odd c
    refuses_renewal "'c' was revoked" odd a c
    revoke odd c
    holds "--renew but for c" run_renew odd
    holds "c is left out" cmp "$d/c/host.crt" odd/c/host.crt
    holds "which is told" grep -q 'revoked: c$' renew.out
    fails "a is left out" cmp "$d/a/host.crt" odd/a/host.crt
    rm -rf odd
}

test_revocation() {
    local recipe certificate
    cp "$d/f/host.crt" f-old
    holds "--renew" run_renew "$d" f
    recipe=$("$make_certs" --help | sed -n '/^ *awk /,/^ *openssl ca /p')
    same "commands in --help" 3 "$(wc -l <<<"$recipe")"
    holds "they run" eval "cd $d/ca && ${recipe/NAME/f} && cd $top"
    cd "$top" || exit 1
    for certificate in "$d/f/host.crt" f-old; do
        fails "$certificate verifies though revoked" openssl verify \
            -crl_check_all -CAfile "$d/ca/ca.crt" -CRLfile "$d/ca/crl.pem" \
            "$certificate"
    done
    holds "e verifies still" openssl verify -crl_check_all \
        -CAfile "$d/ca/ca.crt" -CRLfile "$d/ca/crl.pem" "$d/e/host.crt"
    watch deployment
    refuses "'f' was revoked" --renew "$d" e f
    holds "--add after it" run_add "$d" h
    fails "f verifies at h" verifies "$d/h" "$d/f/host.crt"
    holds "a verifies at h" verifies "$d/h" "$d/a/host.crt"
    holds "--renew of all after it" run_renew "$d"
    holds "f is left out" grep -q 'revoked: f$' renew.out
    fails "f is told" grep -q '/f/host.crt' renew.out
    fails "f verifies at a" verifies "$d/a" "$d/f/host.crt"
}

# ---- refusals

# One sentence, and nothing has changed.
refuses() { # what it must say, arguments...
    if "$make_certs" "${@:2}" >refuse.out 2>refuse.err; then
        complain "not refused: $*"
    fi
    same "stdout of the refusal of '${*:2}'" "" "$(<refuse.out)"
    same "lines of the refusal of '${*:2}'" 1 "$(wc -l <refuse.err)"
    grep -q -- "^make-certs.sh: .*$1.*: ." refuse.err ||
        complain "refusing '${*:2}' says: $(<refuse.err)"
    same "after the refusal of '${*:2}'" "$untouched" "$(snapshot "$watched")"
}

watch() {
    watched=$top/$1
    untouched=$(snapshot "$watched")
}

test_refusals() {
    local name address
    mkdir none
    watch none
    for name in "" -x .x ../x x/y 'x y' x_y 'x*' $'x\ny' "$(printf %065d 0)"; do
        refuses "host name.*not valid" none/d "$name"
    done
    refuses "cannot be named 'ca'" none/d ca
    refuses "reads as an address" none/d 10.0.0.1
    for address in 256.1.1.1 1.2.3 01.2.3.4 1:2 ::: 1::2::3 12345::1 \
        1:2:3:4:5:6:7:8:9 1:2:3:4:5:6:7::8 '[::1]' fe80::1%eth0 'x;y' '*.x' \
        a:7310 $'x\ny' "$(printf 'x%0253d' 0)" URI:x; do
        refuses "not valid" none/d "x=1.2.3.4,$address"
    done
    for address in "" "," "1.2.3.4," ",1.2.3.4" "1.2.3.4,,::1"; do
        refuses "is empty" none/d "x=$address"
    done
    refuses "given twice" none/d x y x=1.2.3.4
    refuses "a directory and at least one host" none/d
    refuses "a directory and at least one host"
    refuses "is unknown" --force none/d x
    refuses "needs a value" --days
    for name in 0 -1 3651 1x 99999; do
        refuses "--days '$name' is not valid" --days "$name" none/d x
    done
    for name in Upper.example x/y 'x y' .x; do
        refuses "domain '$name' is not valid" --domain "$name" none/d x
    done
    refuses "exclude one another" --add --domain x "$d" y
    refuses "is no directory" --add none/d x
    mkdir none/empty none/d none/d/x
    watch none
    refuses "cannot be read" --add none/empty x
    refuses "d/x' exists already" none/d x

    watch deployment
    refuses "ca' exists already" "$d" x
    refuses "a' exists already" --add "$d" x a
    mv "$d/a" moved
    watch deployment
    refuses "has a host 'a' already" --add "$d" x a
    mv moved "$d/a"
    mkdir "$d/.making"
    watch deployment
    refuses "making' exists" --add "$d" x
    rmdir "$d/.making"
}

test_zones() {
    local zone
    cp -a "$d" full
    for zone in {7..254}; do echo "fill$zone $zone x"; done >>full/ca/hosts
    watch full
    refuses "257 hosts are too many" --add full x y
    sed -i '/^fill100 /d' full/ca/hosts
    holds "the last zones" run_add full x y
    same "are the free ones" "zone=100 zone=255" \
        "$(cat full/x/peers full/y/peers | awk '/^self/ {print $3}' | xargs)"
    watch full
    refuses "257 hosts are too many" --add full z
    same "zones are distinct" 256 \
        "$(grep -v '^#' full/ca/hosts | cut -d' ' -f2 | sort -un | wc -l)"
}

# ---- other ways through

test_options() {
    holds "--help says usage" grep -q '^usage:' <("$make_certs" --help)
    holds "--domain and --days" "$make_certs" --domain t.example --days 10 \
        other x=::,x,::ffff:1.2.3.4,::,1:2:3:4:5:6:7:: y
    same "names of x" "URI:spiffe://t.example/psu-thread/x, DNS:x,\
 IP Address:0:0:0:0:0:0:0:0, IP Address:0:0:0:0:0:FFFF:102:304,\
 IP Address:1:2:3:4:5:6:7:0" "$(extension other/x/host.crt subjectAltName)"
    near "the end of --days 10" $(($(date +%s) + 10 * 86400)) \
        "$(seconds other/x/host.crt enddate)"
    holds "add to it" run_add other z
    same "names of z" "URI:spiffe://t.example/psu-thread/z, DNS:z" \
        "$(extension other/z/host.crt subjectAltName)"
    fails "deployments share no secret" \
        cmp other/ca/deployment.key "$d/ca/deployment.key"
    fails "deployments trust each other" verifies "$d/a" other/x/host.crt
    mkdir empty
    holds "an empty directory will do" "$make_certs" empty x
}

# Make the openssl command fail at its Nth call, then at the next one, until
# all succeed: nothing may be left behind.  Last, end a run from outside.
test_failures() {
    local real nth before
    real=$(command -v openssl)
    mkdir bin
    cat >bin/openssl <<END
#!/bin/sh
echo >>"$top/calls"
sleep "\${slow:-0}"
[ "\$(wc -l <"$top/calls")" != "\$nth" ] || exit 1
exec "$real" "\$@"
END
    chmod +x bin/openssl
    for nth in {1..40}; do
        : >calls
        ! nth=$nth PATH=$top/bin:$PATH "$make_certs" half x >half.out 2>&1 ||
            break
        fails "call $nth left something" test -e half
    done
    holds "calls that may fail" test "$nth" -gt 8
    before=$(snapshot half)
    for nth in {1..40}; do
        : >calls
        ! nth=$nth PATH=$top/bin:$PATH run_add half y || break
        same "after call $nth of --add" "$before" "$(snapshot half)"
        same "stdout of call $nth" "" "$(<add.out)"
    done
    holds "calls of --add that may fail" test "$nth" -gt 7
    holds "x verifies" verifies half/y half/x/host.crt
    before=$(snapshot half)
    for nth in {1..40}; do
        : >calls
        ! nth=$nth PATH=$top/bin:$PATH run_renew half || break
        same "after call $nth of --renew" "$before" "$(snapshot half)"
        same "stdout of call $nth" "" "$(<renew.out)"
    done
    holds "calls of --renew that may fail" test "$nth" -gt 10
    holds "x verifies after it" verifies half/y half/x/host.crt

    slow=0.2 PATH=$top/bin:$PATH "$make_certs" ended x 2>/dev/null &
    sleep 0.7
    kill "$!"
    wait "$!" 2>/dev/null
    same "status of a run that was ended" 143 "$?"
    fails "an ended run left something" test -e ended
    before=$(snapshot half)
    slow=0.2 PATH=$top/bin:$PATH "$make_certs" --renew half 2>/dev/null &
    for ((nth = 0; nth < 500; nth++)); do
        [[ ! -e half/.making/kept/x/host.crt ]] || break
        sleep 0.02
    done
    kill "$!"
    wait "$!" 2>/dev/null
    same "status of a renewal that was ended" 143 "$?"
    same "after it" "$before" "$(snapshot half)"
}

# ---- the certificates that other tests use must be bad

test_bad_certs() {
    local name error why purpose sure before
    holds "two hosts" "$make_certs" pair a=127.0.0.1 b=127.0.0.1
    before=$(snapshot pair)
    holds "bad_certs.sh" "$bad_certs" bad pair
    same "the deployment after it" "$before" "$(snapshot pair)"
    same "variants" "$(cut -f1 bad/manifest.tsv | sort)" \
        "$(find bad -mindepth 1 -type d -printf '%f\n' | sort)"
    same "variants made" 23 "$(wc -l <bad/manifest.tsv)"
    cp -a pair/b b-revoking
    cp bad/crl-revoked.pem b-revoking/crl.pem
    holds "the good one verifies" verifies b-revoking pair/a/host.crt

    while IFS=$'\t' read -r name error why; do
        same "files of $name" "$host_files" "$(cd "bad/$name" && echo *)"
        same "key of $name" "$(public_of_key "bad/$name/host.key")" \
            "$(public_of_cert "bad/$name/host.crt")"
        holds "why of $name" test -n "$why"
        case $name:$error in
        foreign-ca:* | self-signed:*) sure="unable to get|self-signed" ;;
        impostor-ca:*) sure="signature failure" ;;
        *:CERT_EXPIRED) sure="has expired" ;;
        *:CERT_NOT_YET_VALID) sure="not yet valid" ;;
        *:CERT_REVOKED) sure="certificate revoked" ;;
        server-only:* | wrong-eku:*) sure="unsuitable certificate purpose" ;;
        *) sure= ;; # OpenSSL is content: the library itself must refuse
        esac
        verifies b-revoking "bad/$name/host.crt" -purpose sslclient >said 2>&1
        grep -qE -- "${sure:-^bad/$name/host.crt: OK}" said ||
            complain "$name is not bad as it should: $(<said)"
    done <bad/manifest.tsv
    holds "revoked is good but for the CRL" \
        verifies pair/b bad/revoked/host.crt -purpose sslclient
}

made=$(date +%s)
"$make_certs" "$d" a=127.0.0.1,localhost,a,127.0.0.1 \
    b.example.org=2001:db8::1,::ffff:10.0.0.1 c >first.out 2>first.err ||
    { complain "nothing was made: $(<first.err)"; exit 1; }
(($# > 0)) || set -- layout keys host_certificates ca_certificate \
    verification peers renewal renewal_refusals revival add revocation \
    refusals zones options failures bad_certs
for part in "$@"; do
    declare -F "test_$part" >said || { echo "no part '$part'"; exit 99; }
    "test_$part"
done
((failures == 0)) || { echo "$failures expectations failed"; exit 1; }
