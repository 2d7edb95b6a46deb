#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# make-certs.sh - the keys and certificates of one deployment of psu_thread
#
# In: a directory, and the names and addresses of hosts.  Out: ca/, which
# stays offline, and per host a directory that the programs take as cert path.
# Everything is made in DIRECTORY/.making and renamed at the end, so that a
# run which fails or is interrupted leaves nothing half made; .making also
# keeps a second run out.  Refused: to overwrite a CA or a host; names and
# addresses that cannot stand in a certificate; a 257th host, for which there
# is no zone; to renew what this CA did not sign, or what was revoked.  No
# private key is ever printed, and the CA's never leaves ca/.
# Needs bash, the openssl command (3.0 or later) and coreutils.

set -euo pipefail
shopt -s inherit_errexit
umask 077
export LC_ALL=C
unset CDPATH

readonly zone_count=256
readonly ca_days=3650
readonly skew_s=3600            # how far a clock may be behind this one's
readonly name_max=64            # X.520's bound of a common name

form='make'                     # or add, or renew
domain=
days=365
outdir=
outdir_made=no
work=                           # OUTDIR/.making, once it is ours
ca_home=                        # where ca.key and ca.crt lie
now=$(date +%s)
begin=
end=

new_names=()
host_names=()                   # every host of the deployment, new ones last
revoked_names=()                # those that --renew leaves out
declare -A new_addresses=() host_zone=() host_sign=()

usage() {
    cat <<'END'
usage: make-certs.sh [--domain DOMAIN] [--days N] OUTDIR HOST...
       make-certs.sh --add [--days N] OUTDIR HOST...
       make-certs.sh --renew [--days N] OUTDIR [NAME...]
       make-certs.sh --help

HOST is NAME or NAME=ADDRESS[,ADDRESS...].  The addresses (IPv4, IPv6 or DNS)
are what other hosts dial to reach it, besides NAME itself.

The first form makes OUTDIR/ca, the deployment's certificate authority, and
OUTDIR/NAME for each host, ready to be passed as cert path.  The second adds
hosts, brings the peers files in OUTDIR up to date, and prints the lines that
hosts installed elsewhere need at the end of their peers files.  The third
makes new certificates for hosts that OUTDIR has, or for all that were not
revoked, with the keys, names and addresses that they have, so that no peers
file changes, and a new crl.pem; it says what to copy where.

  --domain DOMAIN  trust domain in the hosts' identities
                   (default psu-thread.internal)
  --days N         how long the hosts' certificates are valid
                   (default 365, at most 3650: the CA's own validity)

To revoke a host, which may have several certificates, run this in OUTDIR/ca
and give every host the new crl.pem:
  awk -F/ '/^V/ && $NF == "CN=NAME"' index.txt | cut -f4 |
      xargs -I@ openssl ca -config openssl.cnf -revoke issued/@.pem
  openssl ca -config openssl.cnf -gencrl -out crl.pem
END
}

fail() {
    local text=$*
    printf 'make-certs.sh: %s\n' "${text//[[:cntrl:]]/?}" >&2
    exit 1
}

# ---- what may stand in a certificate

check_days() {
    [[ $days =~ ^[1-9][0-9]{0,3}$ && $days -le $ca_days ]] ||
        fail "--days '$days' is not valid: give a number from 1 to $ca_days"
}

check_domain() {
    [[ $domain =~ ^[a-z0-9][a-z0-9._-]*$ && ${#domain} -le $name_max ]] ||
        fail "the domain '$domain' is not valid: give up to $name_max" \
             "of a-z 0-9 . _ -, beginning with a letter or digit"
}

is_dns_name() {
    [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9.-]*$ && ! $1 =~ ^[0-9.]+$ ]] &&
        ((${#1} <= 253))
}

is_ipv4() {
    local byte='(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])'
    [[ $1 =~ ^$byte\.$byte\.$byte\.$byte$ ]]
}

is_ipv6() {
    local text=$1 group='[0-9A-Fa-f]{1,4}' groups
    is_ipv4 "${text##*:}" && text=${text%:*}:0:0
    [[ ! $text =~ ^$group(:$group){7}$ ]] || return 0
    [[ $text =~ ^($group(:$group)*)?::($group(:$group)*)?$ ]] || return 1
    read -ra groups <<<"${text//:/ }"
    ((${#groups[@]} < 8))
}

check_name() {
    [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9.-]*$ && ${#1} -le $name_max ]] ||
        fail "the host name '$1' is not valid: give up to $name_max of" \
             "A-Z a-z 0-9 . -, beginning with a letter or digit"
    [[ $1 != ca ]] ||
        fail "a host cannot be named 'ca': give it another name, the" \
             "directory ca/ is the certificate authority's"
    is_dns_name "$1" ||
        fail "the host name '$1' reads as an address: give the host a name" \
             "with a letter in it, as in host=$1"
}

# Print the addresses' part of a subjectAltName, each with a comma before it.
address_names() {
    local name=$1 list=$2 address word seen=",DNS:$1,"
    [[ -n $list && ,$list, != *,,* ]] ||
        fail "an address of '$name' is empty: write NAME=ADDRESS,ADDRESS"
    while [[ -n $list ]]; do
        address=${list%%,*}
        list=${list#"$address"}
        list=${list#,}
        if is_ipv4 "$address" || is_ipv6 "$address"; then
            word=IP:$address
        elif is_dns_name "$address"; then
            word=DNS:$address
        else
            fail "the address '$address' of '$name' is not valid: give an" \
                 "IPv4 address, an IPv6 address without brackets, or a DNS name"
        fi
        [[ $seen != *",$word,"* ]] || continue
        seen+=$word,
        printf ',%s' "$word"
    done
}

# ---- the command line

take_host() {
    local name=${1%%=*} addresses=
    check_name "$name"
    [[ -z ${new_addresses[$name]+set} ]] ||
        fail "the host '$name' is given twice: give each host once"
    [[ $form != renew || $1 != *=* ]] ||
        fail "--renew keeps the addresses of '$name': leave out '=' and what" \
             "follows, or add a host of another name with --add"
    if [[ $1 == *=* ]]; then
        addresses=$(address_names "$name" "${1#*=}")
    fi
    new_names+=("$name")
    new_addresses[$name]=$addresses
}

take_arguments() {
    local host
    while [[ ${1-} == -* ]]; do
        case $1 in
        --help) usage; exit 0 ;;
        --add | --renew)
            [[ $form == make || $form == "${1#--}" ]] ||
                fail "--add and --renew exclude one another: give one of them"
            form=${1#--}
            shift
            continue
            ;;
        --domain | --days)
            (($# >= 2)) || fail "$1 needs a value: see --help" ;;
        *) fail "the option '$1' is unknown: see --help" ;;
        esac
        [[ -n $2 ]] || fail "$1 has an empty value: see --help"
        if [[ $1 == --days ]]; then days=$2; else domain=$2; fi
        shift 2
    done
    [[ $form == renew && $# == 1 ]] || (($# >= 2)) ||
        fail "a directory and at least one host are needed: see --help"

    check_days
    if [[ $form == make ]]; then
        domain=${domain:-psu-thread.internal}
        check_domain
    else
        [[ -z $domain ]] ||
            fail "--domain and --$form exclude one another: leave out" \
                 "--domain, the deployment has its domain already"
    fi

    outdir=$1
    for host in "${@:2}"; do
        take_host "$host"
    done
}

# ---- the directory, and what it holds already

clean_up() {
    [[ -z $work ]] || rm -rf -- "$work"
    [[ $outdir_made == no ]] ||
        rmdir --ignore-fail-on-non-empty -- "$outdir"
}

enter_outdir() {
    trap clean_up EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM

    if [[ $form == make && ! -e $outdir ]]; then
        mkdir -p -- "$outdir" 2>/dev/null ||
            fail "'$outdir' cannot be made: choose a directory of your own"
        outdir_made=yes
    fi
    [[ -d $outdir ]] ||
        fail "'$outdir' is no directory: make the deployment first, without" \
             "--add or --renew, or name its directory"
    outdir=$(cd -- "$outdir" && pwd)

    if ! mkdir -- "$outdir/.making" 2>/dev/null; then
        [[ ! -e $outdir/.making ]] ||
            fail "'$outdir/.making' exists: wait for the other run, or remove" \
                 "it if there is none"
        fail "'$outdir' cannot be written: choose a directory of your own"
    fi
    work=$outdir/.making
    mkdir "$work/ca" "$work/hosts" "$work/kept"
}

read_state() {
    local file name zone sign zones=' '
    for file in ca.key ca.crt crl.pem deployment.key domain hosts \
        index.txt crlnumber issued openssl.cnf; do
        [[ -r $outdir/ca/$file ]] ||
            fail "'$outdir/ca/$file' cannot be read: name the directory" \
                 "of a deployment made by this program, or restore the file"
    done
    domain=$(<"$outdir/ca/domain")
    check_domain

    while read -r name zone sign; do
        [[ $name != '#'* && -n $name ]] || continue
        [[ $zone =~ ^(0|[1-9][0-9]{0,2})$ && $zone -lt $zone_count &&
            -n $sign && $zones != *" $zone "* ]] ||
            fail "'$outdir/ca/hosts' is damaged at host '$name': restore it"
        zones+="$zone "
        host_names+=("$name")
        host_zone[$name]=$zone
        host_sign[$name]=$sign
    done <"$outdir/ca/hosts"
}

refuse_overwriting() {
    local name total
    [[ $form == add || ! -e $outdir/ca ]] ||
        fail "'$outdir/ca' exists already: give --add to add hosts to it, or" \
             "choose another directory"
    for name in "${new_names[@]}"; do
        [[ ! -e $outdir/$name ]] ||
            fail "'$outdir/$name' exists already: choose another name, or" \
                 "move it away"
        [[ -z ${host_zone[$name]+set} ]] ||
            fail "the deployment has a host '$name' already, with zone" \
                 "${host_zone[$name]}: choose another name"
    done
    total=$((${#host_names[@]} + ${#new_names[@]}))
    ((total <= zone_count)) ||
        fail "$total hosts are too many, a deployment has $zone_count zones:" \
             "make a second deployment in another directory"
}

is_revoked() {
    local line
    while read -r line; do
        [[ $line != R$'\t'*"/CN=$1" ]] || return 0
    done <"$outdir/ca/index.txt"
    return 1
}

# The keys of a revoked host may be somebody else's: they get no certificate.
choose_hosts() {
    local name
    for name in "${new_names[@]}"; do
        [[ -n ${host_zone[$name]+set} ]] ||
            fail "the deployment has no host '$name': add it with --add, or" \
                 "give a name that stands in '$outdir/ca/hosts'"
        ! is_revoked "$name" ||
            fail "the host '$name' was revoked: if it may still be trusted," \
                 "add it under another name with --add"
    done
    ((${#new_names[@]} == 0)) || return 0
    for name in "${host_names[@]}"; do
        if is_revoked "$name"; then
            revoked_names+=("$name")
        else
            new_names+=("$name")
        fi
    done
    ((${#new_names[@]} > 0)) ||
        fail "all hosts were revoked: add hosts with --add"
}

# ---- openssl

quiet() {
    "$@" >"$work/log" 2>&1 ||
        fail "'$1 $2' failed; it says: $(tail -n 3 "$work/log")"
}

asn1_time() {
    date -u -d "@$1" +%Y%m%d%H%M%SZ
}

make_key() {
    quiet openssl genpkey -algorithm ED25519 -out "$1"
}

make_request() {
    quiet openssl req -new -config "$OPENSSL_CONF" -key "$1" -subj "$2" \
        -out "$work/request"
}

# Let the CA's state in .making/ca issue or list something.  ca.key itself
# is used where it lies.
run_ca() {
    cd "$work/ca"
    quiet openssl ca -batch -notext -config "$OPENSSL_CONF" \
        -keyfile "$ca_home/ca.key" "$@"
    cd "$outdir"
}

public_half() {
    openssl pkey -in "$1" -pubout -outform DER | tail -c 32 | base64 -w 0
}

subject_names() {
    local text
    text=$(openssl x509 -in "$1" -noout -ext subjectAltName 2>&1) ||
        true
    printf '%s' "${text#*$'\n    '}"
}

write_openssl_conf() {
    cat <<'END'
# Used in this very directory: cd here before `openssl ca -config openssl.cnf`.
[ca]
default_ca = deployment
[deployment]
database = index.txt
crlnumber = crlnumber
new_certs_dir = issued
certificate = ca.crt
private_key = ca.key
default_md = default
default_days = 365
default_crl_days = 365
rand_serial = yes
unique_subject = no
copy_extensions = none
email_in_dn = no
policy = names
crl_extensions = crl_extensions
[names]
organizationName = supplied
commonName = supplied
[crl_extensions]
authorityKeyIdentifier = keyid:always
[ca_extensions]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[req]
distinguished_name = no_defaults
[no_defaults]
END
}

write_host_extensions() {
    cat <<END
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth,clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = URI:$(identity "$1"),DNS:$1${new_addresses[$1]}
END
}

# ---- the certificate authority

make_ca() {
    ca_home=$work/ca
    export OPENSSL_CONF=$work/ca/openssl.cnf
    begin=$(asn1_time $((now - skew_s)))
    end=$(asn1_time $((now + days * 86400)))

    write_openssl_conf >"$OPENSSL_CONF"
    printf '%s\n' "$domain" >"$work/ca/domain"
    mkdir "$work/ca/issued"
    : >"$work/ca/index.txt"
    printf '01\n' >"$work/ca/crlnumber"
    quiet openssl rand -hex -out "$work/ca/deployment.key" 32

    make_key "$work/ca/ca.key"
    make_request "$work/ca/ca.key" "/O=$domain/CN=psu-thread CA"
    run_ca -selfsign -extensions ca_extensions -in "$work/request" \
        -startdate "$begin" -out "$work/ca/ca.crt" \
        -enddate "$(asn1_time $((now + ca_days * 86400)))"
}

resume_ca() {
    local ca_end end_s
    ca_home=$outdir/ca
    export OPENSSL_CONF=$work/ca/openssl.cnf
    cp -- "$ca_home"/{openssl.cnf,index.txt,crlnumber,domain} "$work/ca"
    cp -- "$ca_home"/{ca.crt,crl.pem,deployment.key} "$work/ca"
    mkdir "$work/ca/issued"

    # A host's certificate never outlives the CA's.
    ca_end=$(openssl x509 -in "$ca_home/ca.crt" -noout -enddate)
    ca_end=$(date -d "${ca_end#*=}" +%s)
    ((now < ca_end)) ||
        fail "the CA has expired: make a new deployment in another directory"
    end_s=$((now + days * 86400))
    begin=$(asn1_time $((now - skew_s)))
    end=$(asn1_time $((end_s < ca_end ? end_s : ca_end)))
}

# The list of revoked certificates lasts as long as any host's certificate.
issue_crl() {
    local crl_end=$end old
    if [[ $form != make ]]; then
        old=$(openssl crl -in "$work/ca/crl.pem" -noout -nextupdate)
        old=$(asn1_time "$(date -d "${old#*=}" +%s)")
        [[ $old < $crl_end ]] || crl_end=$old
    fi
    run_ca -gencrl -crl_lastupdate "$begin" -crl_nextupdate "$crl_end" \
        -out "$work/ca/crl.pem"
}

# ---- the hosts

identity() {
    printf 'spiffe://%s/psu-thread/%s' "$domain" "$1"
}

give_zones() {
    local name zone=0 taken=" ${host_zone[*]} "
    for name in "${new_names[@]}"; do
        while [[ $taken == *" $zone "* ]]; do
            zone=$((zone + 1))
        done
        host_names+=("$name")
        host_zone[$name]=$zone
        taken+="$zone "
    done
}

certify_host() {
    local name=$1 key=$2 certificate=$3
    make_request "$key" "/O=$domain/CN=$name"
    write_host_extensions "$name" >"$work/extensions"
    run_ca -cert "$ca_home/ca.crt" -extfile "$work/extensions" \
        -startdate "$begin" -enddate "$end" \
        -in "$work/request" -out "$certificate"
}

make_host() {
    local name=$1 dir=$work/hosts/$1
    mkdir "$dir"
    make_key "$dir/host.key"
    make_key "$dir/sign.key"
    host_sign[$name]=$(public_half "$dir/sign.key")
    certify_host "$name" "$dir/host.key" "$dir/host.crt"
}

# Only what this CA signed is believed: the directory may have been elsewhere.
check_old_certificate() {
    local dir=$outdir/$1 file
    for file in host.crt host.key; do
        [[ -r $dir/$file ]] ||
            fail "'$dir/$file' cannot be read: copy it back from that host," \
                 "or name the hosts to renew, without this one"
    done
    openssl verify -no_check_time -no-CApath -no-CAstore \
        -CAfile "$ca_home/ca.crt" "$dir/host.crt" >"$work/log" 2>&1 ||
        fail "'$dir/host.crt' is not signed by this CA: copy back the one" \
             "that was made here, from that host or from '$ca_home/issued'"
    [[ $(openssl x509 -in "$dir/host.crt" -noout -pubkey) == \
        "$(openssl pkey -in "$dir/host.key" -pubout 2>&1)" ]] ||
        fail "'$dir/host.key' does not fit host.crt: copy both back from" \
             "that host"
}

# Take the addresses out of a certificate's names, and check them as if given.
take_old_addresses() {
    local name=$1 names=$2 first
    first="URI:$(identity "$name"), DNS:$name"
    [[ $names, == "$first,"* ]] ||
        fail "'$outdir/$name/host.crt' is not for '$name', it says" \
             "'$names': copy back the host's own"
    names=${names#"$first"}
    names=${names//, IP Address:/,}
    names=${names//, DNS:/,}
    new_addresses[$name]=
    [[ -z $names ]] ||
        new_addresses[$name]=$(address_names "$name" "${names#,}")
}

renew_host() {
    local name=$1 dir=$work/kept/$1 names
    check_name "$name"
    check_old_certificate "$name"
    names=$(subject_names "$outdir/$name/host.crt")
    take_old_addresses "$name" "$names"
    mkdir "$dir"
    certify_host "$name" "$outdir/$name/host.key" "$dir/host.crt"
    [[ $(subject_names "$dir/host.crt") == "$names" ]] ||
        fail "the names in '$outdir/$name/host.crt', '$names', cannot be" \
             "kept: add the host under another name with --add"
}

peer_line() {
    printf 'peer id=%s zone=%d sign=%s direction=both\n' \
        "$(identity "$1")" "${host_zone[$1]}" "${host_sign[$1]}"
}

write_peers() {
    local own=$1 name
    cat <<'END'
# Which hosts may exchange threads with this one.  Who is not listed may not.
#
# One entry a line, its words separated by blanks; unknown words are errors.
#   self id=IDENTITY zone=N
#     This host.  N is its share of the addresses, 0 to 255, its own alone.
#   peer id=IDENTITY zone=N sign=BASE64 direction=send|receive|both
#     Another host.  sign is the public half of its sign.key; direction says
#     what the peer may do: send threads to this host, receive threads from
#     it, or both.  Who may send, runs code as this host's user.
#     A word pin=HEX may follow, the SHA-256 of the peer's public TLS key:
#     openssl pkey -in host.key -pubout -outform DER | sha256sum
#     With attest=full the peer must sign the contents of its threads' heaps,
#     too; else these are bound to the connection alone.  max-threads=N and
#     max-bytes=N, with K, M, G or T behind the number, limit what it may have
#     here at a time: threads, and bytes of their slots.
# Words verify-only=BASE64 may follow in either, for each key that the host
# signed with before: it only proves where a thread has been.
END
    printf '\nself id=%s zone=%d\n\n' "$(identity "$own")" "${host_zone[$own]}"
    for name in "${host_names[@]}"; do
        [[ $name == "$own" ]] || peer_line "$name"
    done
}

write_hosts() {
    local name
    printf '# NAME ZONE SIGN: every host of the deployment\n'
    for name in "${host_names[@]}"; do
        printf '%s %d %s\n' "$name" "${host_zone[$name]}" "${host_sign[$name]}"
    done
}

write_new_peers() {
    local name
    for name in "${new_names[@]}"; do
        peer_line "$name"
    done
}

complete_hosts() {
    local name dir
    for name in "${new_names[@]}"; do
        dir=$work/hosts/$name
        cp -- "$work/ca"/{ca.crt,crl.pem,deployment.key} "$dir"
        write_peers "$name" >"$dir/peers"
    done
}

# Append to what the owner may have changed, rather than write it anew.
update_kept_hosts() {
    local name peers text
    for name in "${host_names[@]}"; do
        peers=$outdir/$name/peers
        [[ -f $peers ]] || continue
        mkdir -p "$work/kept/$name"
        cp -- "$work/ca/crl.pem" "$work/kept/$name"
        [[ $form == add ]] || continue
        text=$(<"$peers")
        { printf '%s\n' "$text"; write_new_peers; } >"$work/kept/$name/peers"
    done
}

# ---- the end

# Rename everything into place.  The CA's state comes first, so that no zone
# is ever given twice.
publish() {
    local dir
    trap '' HUP INT TERM
    rm -f -- "$work"/ca/*.old
    if [[ $form != make ]]; then
        mv -- "$work"/ca/issued/* "$outdir/ca/issued"
        rmdir "$work/ca/issued"
        rm -- "$work/ca/ca.crt" "$work/ca/deployment.key"
        mv -f -- "$work"/ca/* "$outdir/ca"
    else
        mv -T -- "$work/ca" "$outdir/ca"
    fi
    for dir in "$work"/hosts/*; do
        [[ -d $dir ]] || continue
        mv -T -- "$dir" "$outdir/${dir##*/}"
    done
    for dir in "$work"/kept/*; do
        [[ -d $dir ]] || continue
        mv -f -- "$dir"/* "$outdir/${dir##*/}"
    done
    outdir_made=no
}

tell_new_peers() {
    cat <<END
# Append these lines to the peers file of every host that was installed from
# $outdir before, and let its programs read the file again.
END
    write_new_peers
}

tell_summary() {
    local name
    printf 'Made for spiffe://%s, valid until %s:\n' "$domain" \
        "${end:0:4}-${end:4:2}-${end:6:2}"
    for name in "${new_names[@]}"; do
        printf '  %s  (zone %d)\n' "$outdir/$name" "${host_zone[$name]}"
    done
    cat <<END
Copy each of these directories to its machine, keeping the modes (cp -a,
rsync -a, scp -pr), owned by the user whose programs run there, and pass it
to them as cert path or in PSU_THREAD_CERTS.
Keep $outdir/ca offline: who has its ca.key
can pose as any host.  Only --add, --renew and revoking a host need it.
END
}

tell_renewed() {
    local name
    printf 'Renewed for spiffe://%s, valid until %s.  Copy\n' "$domain" \
        "${end:0:4}-${end:4:2}-${end:6:2}"
    for name in "${new_names[@]}"; do
        printf '  %s  to %s\n' "$outdir/$name/host.crt" "$name"
    done
    cat <<END
  $outdir/ca/crl.pem  to every host
into its certificate directory, beside the old file, and rename it into place.
Then start the programs again where host.crt is new: they read it once.  The
old certificates stay good to their end.
END
    ((${#revoked_names[@]} == 0)) ||
        printf 'Left out, as they were revoked: %s\n' "${revoked_names[*]}"
}

make_new_hosts() {
    local name
    give_zones
    for name in "${new_names[@]}"; do
        make_host "$name"
    done
}

renew_hosts() {
    local name
    for name in "${new_names[@]}"; do
        renew_host "$name"
    done
}

main() {
    take_arguments "$@"
    enter_outdir
    case $form in
    make) refuse_overwriting; make_ca; make_new_hosts ;;
    add) read_state; refuse_overwriting; resume_ca; make_new_hosts ;;
    renew) read_state; choose_hosts; resume_ca; renew_hosts ;;
    esac
    issue_crl
    [[ $form == renew ]] || complete_hosts
    update_kept_hosts
    write_hosts >"$work/ca/hosts"

    publish
    case $form in
    make) tell_summary >&2 ;;
    add) tell_new_peers; tell_summary >&2 ;;
    renew) tell_renewed ;;
    esac
}

main "$@"
