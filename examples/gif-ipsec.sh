#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: gif-ipsec.sh
#
# Two bridges, in vnets "left" and "right", joined by a tunnel (EtherIP, gif(4))
# whose packets the kernel's IPsec encrypts: ESP in transport mode, for protocol
# 97 between the two ends only. Pings across, shows that nothing but ESP was on
# the wire, and cleans up. Needs a running coaxd and a kernel with ESP.
#
# Exit: 0; 1 it does not work; 77 this kernel has no ESP.

set -eu

left=192.0.2.1 right=192.0.2.2
work=$(mktemp -d)

clean_up()
{
	for v in left right; do
		coax vnet destroy "gif-$v" 2>/dev/null || true
	done
	ifconfig epair90a destroy 2>/dev/null || true
	rm -rf "$work"
}
trap clean_up EXIT

# key: 16 bytes of AES and 4 of salt, new each time.
key()
{
	printf 0x
	od -An -N20 -tx1 /dev/urandom | tr -d ' \n'
}

# protect VNET HERE THERE: what the two directions are encrypted with, and that
# nothing else is sent or taken.
protect()
{
	coax jexec "gif-$1" sh -e <<END
ip xfrm state add src $left dst $right proto esp spi 0x1001 mode transport \
    aead 'rfc4106(gcm(aes))' $key_right 128
ip xfrm state add src $right dst $left proto esp spi 0x1002 mode transport \
    aead 'rfc4106(gcm(aes))' $key_left 128
ip xfrm policy add src $2 dst $3 proto 97 dir out tmpl proto esp mode transport
ip xfrm policy add src $3 dst $2 proto 97 dir in tmpl proto esp mode transport
END
}

coax vnet create gif-left
coax vnet create gif-right
ifconfig epair90 create >/dev/null
ifconfig epair90a vnet gif-left
ifconfig epair90b vnet gif-right
for end in "left epair90a $left $right" "right epair90b $right $left"; do
	# shellcheck disable=SC2086
	set -- $end
	coax jexec "gif-$1" ip address add "$3/24" dev "$2"
	coax jexec "gif-$1" ip link set "$2" up
	coax jexec "gif-$1" ifconfig gif0 create
	coax jexec "gif-$1" ifconfig gif0 tunnel "$3" "$4" up
	coax jexec "gif-$1" ifconfig bridge0 create
	coax jexec "gif-$1" ifconfig bridge0 addm gif0 up
done
coax jexec gif-left ifconfig bridge0 198.51.100.1/24
coax jexec gif-right ifconfig bridge0 198.51.100.2/24

key_right=$(key) key_left=$(key)
protect left "$left" "$right" 2>"$work/err" || {
	cat "$work/err" >&2
	echo "gif-ipsec.sh: this kernel has no ESP" >&2
	exit 77
}
protect right "$right" "$left"

# What there is on the wire of ESP (50) and of EtherIP in the open (97).
for proto in 50 97; do
	coax capture epair90a -w "$work/$proto" ip proto $proto \
	    2>"$work/err" &
	eval "capture_$proto=$!"
	until [ -s "$work/$proto" ]; do
		kill -0 $! || {
			cat "$work/err" >&2
			exit 1
		}
		sleep 0.1
	done
done
empty=$(stat -c %s "$work/97")
coax jexec gif-left ping -n -q -c 3 -i 0.2 198.51.100.2
for proto in 50 97; do
	eval "kill -INT \$capture_$proto; wait \$capture_$proto" || true
done
[ "$(stat -c %s "$work/50")" -gt $((empty + 300)) ] || {
	echo "gif-ipsec.sh: nothing was encrypted" >&2
	exit 1
}
[ "$(stat -c %s "$work/97")" -lt $((empty + 300)) ] || {
	echo "gif-ipsec.sh: packets went in the open" >&2
	exit 1
}
echo "encrypted, all of it"
