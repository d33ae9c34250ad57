#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# sock(4): a wire that is a socket, with QEMU, passt and bad company.
#
# shellcheck disable=SC2016,SC2034,SC2086,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables; words)

. "$(atf_get_srcdir)/lib.subr"

atf_test_case words
words_head()
{
	about 30 "What it is told is shown, saved, refused; nothing is left"
}
words_body()
{
	lab_or_here
	coaxd_start
	run ifconfig sock0 create listen "unix:$PWD/s" up
	shows "listen: unix:$PWD/s framing stream" ifconfig sock0
	shows 'peer: <none>' ifconfig sock0
	shows 'status: no carrier' ifconfig sock0
	[ "$(stat -c %a s)" -eq 600 ] || fail "mode $(stat -c %a s)"
	# Somebody has it already; a create line leaves nothing behind.
	refused 'listen unix.*Address already in use' \
	    ifconfig sock1 create listen "unix:$PWD/s"
	refused 'does not exist' ifconfig sock1
	echo precious >file
	refused 'listen unix' ifconfig sock1 create listen "unix:$PWD/file"
	[ "$(cat file)" = precious ] || fail "a file was replaced"
	refused 'either listens or connects' \
	    ifconfig sock0 connect "unix:$PWD/t"
	run ifconfig sock0 -listen connect "unix:$PWD/t" vnethdr 12
	shows "connect: unix:$PWD/t framing stream vnethdr 12" ifconfig sock0
	wait_for 'ifconfig sock0 | grep -q "<none> (No such file"'
	[ ! -e s ] || fail "the socket is still there"
	run ifconfig sock0 -connect
	run ifconfig sock0 listen "unix:$PWD/near" framing dgram \
	    connect "unix:$PWD/far"
	shows "listen: unix:$PWD/near framing dgram" ifconfig sock0
	shows "connect: unix:$PWD/far framing dgram" ifconfig sock0
	# Killed, it leaves a socket behind, which the next one replaces.
	kill -KILL "$coaxd_pid"
	wait "$coaxd_pid" 2>/dev/null || true
	[ -S near ] || fail "no socket"
	coaxd_start
	run ifconfig sock0 create listen "unix:$PWD/near"
	run ifconfig sock9 create -host
	refused 'its own far end' ifconfig sock9 listen "unix:$PWD/me" \
	    framing dgram connect "unix:$PWD/me"
	coaxd_stop
	[ ! -e near ] || fail "the socket is still there"
}

# cable WORDS1 -- WORDS2: s1 -- bridge0 -- sock0 == sock1 -- bridge1 -- s2
cable()
{
	one='' two=''
	while [ "$1" != -- ]; do
		one="$one $1"
		shift
	done
	shift
	two=$*
	run ifconfig sock0 create -host $one up
	run ifconfig sock1 create -host $two up
	run ifconfig bridge0 addm sock0
	run ifconfig bridge1 addm sock1
	pings s1 192.0.2.2
	# And many frames, whole.
	in_vnet s2 $lib_tool tcpserve 192.0.2.2 5000 >tcp.out 2>tcp.err &
	wait_for 'grep -q ready tcp.err'
	in_vnet s1 $lib_tool tcpsend 192.0.2.2 5000 3000000 || fail "not sent"
	wait_for 'grep -q 3000000 tcp.out'
	run ifconfig sock0 destroy
	wait_for 'ifconfig sock1 | grep -q "status: [na][oc].*"'
	run ifconfig sock1 destroy
	rm -f tcp.out tcp.err
}

atf_test_case framings
framings_head()
{
	about 120 "Two socks are a cable: every framing, both kinds of ends"
}
framings_body()
{
	lab
	need_host
	coaxd_start
	station s1 1
	station s2 2
	run ifconfig bridge0 create addm vether1 up
	run ifconfig bridge1 create addm vether2 up
	cable listen "unix:$PWD/a" -- connect "unix:$PWD/a"
	cable connect "unix:$PWD/a" vnethdr 12 -- \
	    listen "unix:$PWD/a" vnethdr 12
	cable listen tcp:5000 -- connect tcp:localhost:5000
	cable listen 'tcp:[::1]:5000' -- connect 'tcp:[::1]:5000'
	cable listen "unix:$PWD/a" framing dgram connect "unix:$PWD/b" -- \
	    listen "unix:$PWD/b" framing dgram connect "unix:$PWD/a"
	cable listen udp:5000 connect udp:5001 -- \
	    listen udp:5001 connect udp:5000
	coaxd_stop
}

atf_test_case reconnect
reconnect_head()
{
	about 60 "A daemon that is started anew has its far end again"
}
reconnect_body()
{
	lab
	need_host
	coaxd_start
	station s1 1
	run ifconfig bridge0 create addm vether1 up
	run ifconfig sock0 create connect "unix:$PWD/far" up
	run ifconfig bridge0 addm sock0
	for i in 1 2; do
		COAX_SOCKET=$PWD/other.sock coaxd -S "$PWD/other.sock" \
		    2>other.err &
		other_pid=$!
		wait_for 'grep -q "coaxd: ready" other.err'
		for w in "vether2 create up inet 192.0.2.2/24" \
		    "sock1 create -host listen unix:$PWD/far up" \
		    "bridge1 create addm vether2 addm sock1 up"; do
					COAX_SOCKET=$PWD/other.sock run ifconfig $w
		done
		wait_for 'ifconfig sock0 | grep -q "status: active"'
		shows "peer: pid $other_pid uid" ifconfig sock0
		pings s1 192.0.2.2
		kill "$other_pid"
		wait "$other_pid" || fail "$(cat other.err)"
		wait_for 'ifconfig sock0 | grep -q "status: no carrier"'
		: >other.err
	done
	coaxd_stop
}

atf_test_case bad_company
bad_company_head()
{
	about 60 "Impossible lengths, half frames, slow readers: that port alone"
}
bad_company_body()
{
	lab
	need_host
	coaxd_start
	switch 2
	for i in 0 1 2; do
		run ifconfig "sock$i" create -host listen "unix:$PWD/s$i" up
		run ifconfig bridge0 addm "sock$i"
	done
	# One that never reads, one that stops within a frame, one that lies.
	$lib_tool sockpeer "$PWD/s0" hold &
	slow_pid=$!
	$lib_tool sockpeer "$PWD/s1" half &
	half_pid=$!
	wait_for 'ifconfig sock0 | grep -q "status: active" &&
	    ifconfig sock1 | grep -q "status: active"'
	for i in 1 2 3; do
		run $lib_tool sockpeer "$PWD/s2" lie
	done
	wait_for '[ "$(dropped sock2 sock-framing)" -eq 3 ]'
	shows 'status: no carrier' ifconfig sock2
	# Floods go to all of them; the others talk on.
	# How many of them the kernel's own queue lets through is its affair.
	wait_for 'in_vnet s1 $lib_tool sendnum vether1 3000 1400 &&
	    [ "$(dropped sock0 queue-full)" -gt 0 ]'
	pings s1 192.0.2.2
	# Whatever came in (the kernel's queue is short) went out there.
	n=$(field vether1 counters.ipackets)
	[ "$(field vether2 counters.opackets)" -ge $((n - 20)) ] ||
	    fail "not all for the others: $(coax drops)"
	kill "$half_pid"
	wait_for '[ "$(dropped sock1 sock-cut)" -eq 1 ]'
	kill "$slow_pid"
	wait_for 'ifconfig sock0 | grep -q "status: no carrier"'
	[ "$(dropped sock0 no-peer)" -gt 0 ] || fail "what waited is not counted"
	coaxd_stop
}

# guest N NETDEV: QEMU with such a network card, booting by iPXE's DHCP.
guest()
{
	background "qemu$1" qemu-system-x86_64 -M pc,accel=tcg -m 64 \
	    -display none -serial none -monitor none -boot n -netdev "$2" \
	    -device "virtio-net-pci,netdev=n,mac=52:54:00:00:00:0$1"
	qemus="$qemus $bg_pid"
}

atf_test_case qemu
qemu_head()
{
	about 240 "QEMU's netdevs stream and dgram: DHCP and ping, four guests"
}
qemu_body()
{
	need_qemu
	lab
	need_host
	coaxd_start
	switch 1
	dhcp_server
	qemus=''
	run ifconfig sock1 create -host listen "unix:$PWD/s1" up
	run ifconfig sock2 create -host connect tcp:5002 up
	run ifconfig sock3 create -host listen "unix:$PWD/s3" framing dgram \
	    connect "unix:$PWD/q3" up
	run ifconfig sock4 create -host listen udp:5004 connect udp:6004 up
	for i in 1 2 3 4; do
		run ifconfig bridge0 addm "sock$i"
	done
	guest 1 "stream,id=n,server=off,addr.type=unix,addr.path=$PWD/s1"
	guest 2 "stream,id=n,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=5002"
	guest 3 "dgram,id=n,local.type=unix,local.path=$PWD/q3,remote.type=unix,remote.path=$PWD/s3"
	guest 4 "dgram,id=n,local.type=inet,local.host=127.0.0.1,local.port=6004,remote.type=inet,remote.host=127.0.0.1,remote.port=5004"
	for i in 1 2 3 4; do
		within 150000 "grep -q 52:54:00:00:00:0$i leases" ||
		    fail "no lease for $i: $(cat "qemu$i.out"; ifconfig "sock$i")"
		shows 'status: active' ifconfig "sock$i"
	done
	for i in 1 2 3 4; do
		pings s1 "$(awk -v m=52:54:00:00:00:0$i '$2 == m { print $3 }' \
		    leases)"
		# But for what was sent before there was a peer.
		hides 'sock-|queue-|tx-|runt|giant' coax drops "sock$i"
	done
	kill $qemus
	for i in 1 2; do
		wait_for "ifconfig sock$i | grep -q 'status: no carrier'"
	done
	# Another one takes its place.
	guest 5 "stream,id=n,server=off,addr.type=unix,addr.path=$PWD/s1"
	wait_for 'ifconfig sock1 | grep -q "status: active"'
	kill "$bg_pid" "$http_pid" "$dnsmasq_pid"
	coaxd_stop
}

# outside: a namespace of that name behind this one, with 203.0.113.5; packets
# for it leave by up0, as for a provider.
outside()
{
	run coax vnet create outside
	background outside coax jexec outside sleep 1000
	outside_pid=$bg_pid
	run ip link add up0 type veth peer name up1
	wait_for '[ "$(readlink "/proc/$outside_pid/ns/net")" != \
	    "$(readlink /proc/self/ns/net)" ]'
	run ip link set up1 netns "$outside_pid"
	run ip address add 198.51.100.1/24 dev up0
	run ip link set up0 up
	run coax jexec outside ip address add 198.51.100.2/24 dev up1
	run coax jexec outside ip address add 203.0.113.5/32 dev up1
	run coax jexec outside ip link set up1 up
	run ip route add default via 198.51.100.2
}

# uplinked: s1, configured as passt would by DHCP, reaches what is outside.
uplinked()
{
	run coax vnet create s1
	run ifconfig vether1 create vnet s1 up
	run ifconfig bridge0 addm vether1
	run coax jexec s1 ip address add 198.51.100.1/24 dev vether1
	run coax jexec s1 ip route add default via 198.51.100.2
	in_vnet outside $lib_tool tcpserve 203.0.113.5 5000 >tcp.out 2>tcp.err &
	wait_for 'grep -q ready tcp.err'
	in_vnet s1 $lib_tool tcpsend 203.0.113.5 5000 3000000 ||
	    fail "not sent: $(cat passt.out)"
	wait_for 'grep -q 3000000 tcp.out'
}

atf_test_case passt
passt_head()
{
	about 60 "passt at its own socket: TCP from a vnet to the outside"
}
passt_body()
{
	need_program passt
	lab
	need_host
	coaxd_start
	outside
	run ifconfig bridge0 create up
	# It gives up being root, and has to make its socket somewhere.
	mkdir -m 777 open
	run ifconfig sock0 create -host connect "unix:$PWD/open/passt" up
	run ifconfig bridge0 addm sock0
	background passt passt -f -s "$PWD/open/passt"
	passt_pid=$bg_pid
	wait_for 'ifconfig sock0 | grep -q "status: active"'
	uplinked
	kill "$passt_pid" "$outside_pid"
	wait_for 'ifconfig sock0 | grep -q "status: no carrier"'
	coaxd_stop
}

atf_test_case uplink
uplink_head()
{
	about 90 "coax uplink: one command, and the bridge leads outside"
}
uplink_body()
{
	need_program passt
	lab
	need_host
	coaxd_start
	# Nowhere to go to: passt's own words, and nothing is left.
	atf_check -s exit:1 -o empty -e match:'passt: External interface' \
	    coax uplink bridge0
	refused 'passt: .*unrecognized option' coax uplink bridge0 -- --bogus
	refused '^usage: coax uplink' coax uplink --bogus
	outside
	refused 'addm: bad value' coax uplink vether0
	run ifconfig tap0 create
	refused 'tap0 is no bridge' coax uplink tap0
	run ifconfig tap0 destroy
	[ -z "$(ifconfig -l)" ] || fail "$(ifconfig -l)"
	atf_check -s exit:0 -o inline:'sock0\n' coax uplink bridge0
	shows 'peer: connected' ifconfig sock0
	shows 'member: sock0 ' ifconfig bridge0
	uplinked
	# They end together, whoever goes first.
	run ifconfig sock0 destroy
	wait_for '! pgrep -x "passt.*"'
	atf_check -s exit:0 -o inline:'sock0\n' coax uplink
	pkill -x 'passt.*' # of this PID namespace
	wait_for '! ifconfig sock0'
	coaxd_stop
	ip route del default
	kill "$outside_pid"
}

atf_test_case lab_uplink
lab_uplink_head()
{
	about 90 "coax lab --uplink: a lab that reaches what its maker reaches"
}
lab_uplink_body()
{
	need_program passt
	lab
	need_host
	coaxd_start
	outside
	in_vnet outside $lib_tool tcpserve 203.0.113.5 5000 >tcp.out 2>tcp.err &
	wait_for 'grep -q ready tcp.err'
	cat >inside.sh <<END
set -e
ifconfig vether0 create up
ifconfig bridge0 addm vether0
ip address add 198.51.100.1/24 dev vether0
ip route add default via 198.51.100.2
$lib_tool tcpsend 203.0.113.5 5000 1000000
END
	atf_check -s exit:0 -o ignore -e ignore \
	    coax lab --uplink -- sh "$PWD/inside.sh"
	wait_for 'grep -q 1000000 tcp.out'
	wait_for '! pgrep -x "passt.*"'
	kill "$outside_pid"
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case words
	atf_add_test_case framings
	atf_add_test_case reconnect
	atf_add_test_case bad_company
	atf_add_test_case qemu
	atf_add_test_case passt
	atf_add_test_case uplink
	atf_add_test_case lab_uplink
}
