#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# bad_certs.sh OUTDIR DEPLOYMENT - certificates that must be refused
#
# In: a deployment of hosts a and b, as make-certs.sh makes it; it is only
# read.  Out: OUTDIR/VARIANT, each a copy of DEPLOYMENT/a in which host.crt and
# host.key have one thing wrong that b must notice; OUTDIR/crl-revoked.pem, the
# CRL with which b refuses the variant "revoked", which is good without it; and
# OUTDIR/manifest.tsv: variant, error (without PSU_THREAD_E_), why.
# Refused: an OUTDIR that is not empty.

set -euo pipefail
shopt -s inherit_errexit
umask 077
export LC_ALL=C
unset CDPATH

fail() {
    printf 'bad_certs.sh: %s\n' "$*" >&2
    exit 1
}

(($# == 2)) || fail "usage: bad_certs.sh OUTDIR DEPLOYMENT"
mkdir -p -- "$1"
out=$(cd -- "$1" && pwd)
deployment=$(cd -- "$2" && pwd)
[[ -z $(ls -A "$out") ]] || fail "'$out' is not empty: name a new directory"
[[ -d $deployment/a && -d $deployment/b && -r $deployment/ca/ca.key ]] ||
    fail "'$deployment' lacks a/, b/ or ca/: make it with make-certs.sh"

work=$out/.work
mkdir "$work"
trap 'rm -rf -- "$work"' EXIT
export OPENSSL_CONF=$work/trusted/openssl.cnf

domain=$(<"$deployment/ca/domain")
spiffe=spiffe://$domain/psu-thread

# ---- openssl

quiet() {
    "$@" >"$work/log" 2>&1 ||
        fail "'$1 $2' failed; it says: $(tail -n 3 "$work/log")"
}

days_from_now() {
    date -u -d "$1 days" +%Y%m%d%H%M%SZ
}

make_key() {
    case $2 in
    RSA) set -- "$1" RSA -pkeyopt rsa_keygen_bits:2048 ;;
    P-256) set -- "$1" EC -pkeyopt ec_paramgen_curve:P-256 ;;
    esac
    quiet openssl genpkey -algorithm "${@:2}" -out "$1"
}

run_ca() {
    cd "$work/$1"
    quiet openssl ca -batch -notext -config openssl.cnf "${@:2}"
    cd "$out"
}

# Extension text of the CA of the deployment, with the subject key id $1.
ca_extensions() {
    printf '%s\n' "basicConstraints = critical,CA:TRUE,pathlen:0" \
        "keyUsage = critical,keyCertSign,cRLSign" "subjectKeyIdentifier = $1"
}

# Make a CA that nobody trusts: directory, subject, subject key id.
make_other_ca() {
    local dir=$work/$1
    mkdir -p "$dir/issued"
    cp "$deployment/ca/openssl.cnf" "$dir"
    : >"$dir/index.txt"
    make_key "$dir/ca.key" ED25519
    quiet openssl req -new -key "$dir/ca.key" -subj "$2" -out "$work/request"
    ca_extensions "$3" >"$work/extensions"
    run_ca "$1" -selfsign -in "$work/request" -extfile "$work/extensions" \
        -startdate "$(days_from_now -1)" -enddate "$(days_from_now 30)" \
        -out ca.crt
}

# ---- one variant

# The names of a's certificate besides its identity, as an extension's text.
other_names() {
    openssl x509 -in "$deployment/a/host.crt" -noout -ext subjectAltName |
        sed -n 's/IP Address:/IP:/g; s/, /,/g; s/^ *URI:[^,]*,//p'
}

# Extension text of a good certificate for a, but for the given parts: URIs
# ("URI:..." each with a comma behind), extended key usage, CA or not.
leaf() {
    local uris=${1-URI:$spiffe/a,} eku=${2-serverAuth,clientAuth}
    local is_ca=${3-FALSE} usage=digitalSignature
    [[ $is_ca == FALSE ]] || usage+=,keyCertSign
    printf '%s\n' "basicConstraints = critical,CA:$is_ca" \
        "keyUsage = critical,$usage" \
        "subjectKeyIdentifier = hash" "authorityKeyIdentifier = keyid:always" \
        "subjectAltName = $uris$names"
    [[ -z $eku ]] || printf 'extendedKeyUsage = %s\n' "$eku"
}

# The same with a NUL in the URI: who compares as C strings do, reads "a".
leaf_with_nul() {
    leaf | grep -v '^subjectAltName'
    printf '%s\n' "subjectAltName = ASN1:SEQUENCE:names" "[names]" \
        "uri = IMPLICIT:6,FORMAT:HEX,OCTETSTRING:$(
            printf '%s/a\0.other.example' "$spiffe" | od -An -v -tx1 |
                tr -d ' \n')" \
        "dns = IMPLICIT:2,IA5STRING:a"
}

# Make a variant from the extension text on stdin: name, error, why.  May be
# set for it: ca, key (algorithm), begin and end (days from now), cn, and
# selfsign.
variant() {
    local dir=$out/$1 signer=()
    cat >"$work/extensions"
    cp -a "$deployment/a" "$dir"
    make_key "$dir/host.key" "${key-ED25519}"
    quiet openssl req -new -key "$dir/host.key" \
        -subj "/O=$domain/CN=${cn-a}" -out "$work/request"
    [[ -z ${selfsign-} ]] || signer=(-selfsign -keyfile "$dir/host.key")
    run_ca "${ca-trusted}" "${signer[@]}" -extfile "$work/extensions" \
        -startdate "$(days_from_now "${begin--1}")" \
        -enddate "$(days_from_now "${end-30}")" \
        -in "$work/request" -out "$dir/host.crt"
    printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$out/manifest.tsv"
}

# ---- the variants

make_cas() {
    local key_id
    cp -a "$deployment/ca" "$work/trusted"
    key_id=$(openssl x509 -in "$deployment/ca/ca.crt" -noout \
        -ext subjectKeyIdentifier | tail -n 1 | tr -d ' ')
    make_other_ca foreign "/O=$domain/CN=another CA" hash
    make_other_ca impostor "/O=$domain/CN=psu-thread CA" "$key_id"
}

make_untrusted() {
    leaf | ca=foreign variant foreign-ca CERT_FOREIGN \
        "a CA that is not the deployment's signed it"
    leaf | ca=impostor variant impostor-ca CERT_FOREIGN \
        "a CA of the same name and key id, but another key, signed it"
    leaf | selfsign=yes variant self-signed CERT_FOREIGN \
        "it is signed with its own key"
}

make_untimely() {
    leaf | begin=-30 end=-1 variant expired CERT_EXPIRED \
        "its end was yesterday"
    leaf | begin=2 variant not-yet-valid CERT_NOT_YET_VALID \
        "its beginning is the day after tomorrow"
    leaf | variant revoked CERT_REVOKED "crl-revoked.pem lists it"
    run_ca trusted -revoke "$out/revoked/host.crt" -crl_reason keyCompromise
    run_ca trusted -gencrl -crl_lastupdate "$(days_from_now -1)" \
        -crl_nextupdate "$(days_from_now 30)" -out "$out/crl-revoked.pem"
}

make_misnamed() {
    leaf "" | variant no-uri CERT_IDENTITY "it has DNS names, but no URI"
    leaf "URI:$spiffe/a,URI:$spiffe/b," | variant two-uris CERT_IDENTITY \
        "it has two URIs"
    leaf "URI:spiffe://other.$domain/psu-thread/a," |
        variant wrong-domain CERT_IDENTITY "its trust domain is another"
    leaf "URI:spiffe://$domain/another-service/a," |
        variant wrong-path CERT_IDENTITY "its path is another service's"
    leaf "URI:$spiffe/*," | variant wildcard-name CERT_IDENTITY \
        "its URI ends in a wildcard"
    leaf "URI:$spiffe/a,DNS:*.example.org," |
        variant wildcard-dns CERT_IDENTITY "a wildcard is among its DNS names"
    leaf "URI:$spiffe/," | variant empty-name CERT_IDENTITY \
        "its URI ends before the name"
    leaf_with_nul | variant nul-in-uri CERT_IDENTITY \
        "a NUL byte follows the name in its URI"
    leaf "URI:$spiffe/stranger," | cn=stranger variant stranger \
        PEER_NOT_LISTED "it is good, but nobody lists it"
    sed -i "s|^self id=$spiffe/a |self id=$spiffe/stranger |" \
        "$out/stranger/peers"
}

make_misused() {
    local eku=serverAuth,clientAuth
    leaf "URI:$spiffe/a," "" | variant no-eku CERT_FOREIGN \
        "it names no purpose, which OpenSSL takes for any"
    leaf "URI:$spiffe/a," emailProtection | variant wrong-eku CERT_FOREIGN \
        "it is for mail"
    leaf "URI:$spiffe/a," serverAuth | variant server-only CERT_FOREIGN \
        "it is for servers, and a host is both"
    leaf "URI:$spiffe/a," clientAuth | variant client-only CERT_FOREIGN \
        "it is for clients, and a host is both"
    leaf "URI:$spiffe/a," "$eku" TRUE | variant ca-as-leaf CERT_FOREIGN \
        "it is a CA's certificate"
}

make_miskeyed() {
    leaf | key=RSA variant rsa-key CERT_IDENTITY "its key is RSA, 2048 bits"
    leaf | key=P-256 variant p256-key CERT_IDENTITY "its key is on P-256"
    leaf | key=ED448 variant ed448-key CERT_IDENTITY "its key is Ed448"
}

names=$(other_names)
[[ -n $names ]] || fail "'$deployment/a/host.crt' has no names besides the URI"
make_cas
make_untrusted
make_untimely
make_misnamed
make_misused
make_miskeyed
