# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2034,SC2154 # after lib.sh
#
# config.sh - what a program opens, and a machine's configuration that is
# hostile to it; for resolution.sh and resolution_netns.sh

# ---- what is opened

# Why processes cannot be traced here; empty if they can.
why_untraced() {
    if ! type -P strace >/dev/null; then
        echo "no command 'strace': install it"
    elif ! strace -f -o "$work/strace" true 2>"$work/strace.err"; then
        echo "strace is not permitted: $(tail -n 1 "$work/strace.err")"
    fi
}

# Words that go before a command whose calls are to be followed.
trace() { # who
    traced=(strace -f -qq -s 4096 -e 'trace=%file,connect,memfd_create'
        -o "$dir/$1.strace")
}

# Everything that may be looked at, opened or connected to, and nothing else;
# what names it may be looked up through must have been.
expect_opened() { # who, its certificate directory, files that must be there...
    local allowed path
    allowed="/etc/(nsswitch\.conf|host\.conf|resolv\.conf|hosts|gai\.conf)"
    allowed+="|/etc/localtime|/proc/self/(cmdline|exe|task)"
    allowed+="|/proc/sys/kernel/random/boot_id|(.*/)?$probe"
    allowed+="|$2|peers|(deployment|sign|host)\.key|(ca|host)\.crt|crl\.pem"
    allowed+="|$2/(peers|crl\.pem|tls\.(crt|key))|$PSU_THREAD_RUNTIME|\."
    allowed+="|(zone|run)-[0-9a-f]*"
    allowed+="|$dir/$1\.port(\.[0-9]*)?|psu_thread guards|/|[0-9.]*|[0-9a-f:]*"
    sed -n 's/^[0-9]* *[a-z0-9_]*([^"]*"\([^"]*\)".*/\1/p' \
        "$dir/$1.strace" | sort -u >"$dir/$1.opened"
    while read -r path; do
        wrong "$1 touched $path"
    done < <(grep -Evx -- "$allowed" "$dir/$1.opened")
    for path in "${@:3}"; do
        grep -qxF -- "$path" "$dir/$1.opened" || wrong "$1 did not open $path"
    done
}

# ---- a hostile OpenSSL configuration

# A provider that leaves a trace when it is loaded, and a configuration that
# loads it and weakens all that can be.  False: no compiler for it.
make_hostile() { # directory
    mkdir -p "$1"
    loaded=$1/loaded
    cat >"$1/spy.c" <<END
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void loaded(void)
{
	close(open("$loaded", O_CREAT | O_WRONLY, 0600));
}
int OSSL_provider_init(void)
{
	return 0;
}
END
    cat >"$1/openssl.cnf" <<END
openssl_conf = init
[init]
providers = providers
ssl_conf = ssl
alg_section = algorithms
[providers]
spy = spy
default = default
[spy]
module = $1/spy.so
activate = 1
[default]
activate = 1
[algorithms]
default_properties = provider=spy
[ssl]
system_default = weak
[weak]
MinProtocol = TLSv1
MaxProtocol = TLSv1.2
CipherString = ALL:eNULL:@SECLEVEL=0
Ciphersuites = TLS_AES_128_CCM_8_SHA256
Groups = P-256
SignatureAlgorithms = RSA+SHA1
ClientSignatureAlgorithms = RSA+SHA1
VerifyMode = Request
Options = SessionTicket,UnsafeLegacyRenegotiation
END
    # shellcheck disable=SC2086 # it may be several words
    ${CC:-cc} -shared -fPIC -o "$1/spy.so" "$1/spy.c" 2>"$1/cc.err"
}

# It bites: what reads it loads the spy.
expect_bite() { # command...
    "$@" openssl list -providers >"$dir/bite.out" 2>&1
    [[ -e $loaded ]] || wrong "openssl does not load the spy"
    rm -f "$loaded"
}

# ---- what is offered and agreed on, as openssl sees it

# By a server.
agreed_by_server() { # address:port, certs of a peer, words before it...
    timeout 10 "${@:3}" openssl s_client -connect "$1" \
        -alpn psu-thread/1 -CAfile "$2/ca.crt" -cert "$2/host.crt" \
        -key "$2/host.key" </dev/null 2>/dev/null | grep -E \
        '^(New, TLS|Requested Sig|Peer sig|Server Temp Key|ALPN)|^Verif'
    ! timeout 10 "${@:3}" openssl s_client -connect "$1" \
        -tls1_2 </dev/null >"$dir/tls12.out" 2>&1 || echo "TLS 1.2"
}

agreed='^(CIPHER|Shared (ciphers|groups)|Signature Alg|Supported groups)'

# By a client, which hears nothing else from that server.
agreed_by_client() { # certs of the server, of the client, words before it...
    rm -f "$dir/openssl.out"
    start openssl openssl s_server -accept 127.0.0.1:0 -alpn psu-thread/1 \
        -cert "$1/host.crt" -key "$1/host.key" -CAfile "$1/ca.crt" -Verify 1
    await_openssl
    start client "${@:3}" "$probe" go "127.0.0.1:$port" "$2"
    await 10 grep -qsa '^CIPHER' "$dir/openssl.out"
    end_processes
    grep -aE "$agreed" "$dir/openssl.out"
}
