#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# gif(4): tunnels between vnets, a peer made from the RFC, and bad company.
#
# shellcheck disable=SC2016,SC2034,SC2086,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables; words)

. "$(atf_get_srcdir)/lib.subr"

etherip="/usr/bin/python3 $lib_dir/etherip.py"

# underlay: vnets one and two, 192.0.2.1 and .2, 2001:db8::1 and ::2 on a wire.
underlay()
{
	lab
	need_host
	coaxd_start
	run coax vnet create one
	run coax vnet create two
	atf_check -o inline:'epair0a\n' ifconfig epair0 create
	run ifconfig epair0a vnet one
	run ifconfig epair0b vnet two
	for lib_i in 'one epair0a 1' 'two epair0b 2'; do
		set -- $lib_i
		run coax jexec "$1" ip address add "192.0.2.$3/24" dev "$2"
		run coax jexec "$1" ip -6 address add "2001:db8::$3/64" dev "$2" \
		    nodad
		run coax jexec "$1" ip link set "$2" up
		run coax jexec "$1" ip link set lo up
	done
	wait_for 'coax jexec one ping -n -q -c 1 -W 1 192.0.2.2'
}

# bridged VNET N: gif0 in bridge0, which has 198.51.100.N.
bridged()
{
	run coax jexec "$1" ifconfig bridge0 create
	run coax jexec "$1" ifconfig bridge0 addm gif0 up
	run coax jexec "$1" ifconfig bridge0 "198.51.100.$2/24"
}

# tunnels A B: gif0 in one and two, and their bridges.
tunnels()
{
	run coax jexec one ifconfig gif0 create
	run coax jexec one ifconfig gif0 tunnel "$1" "$2" up
	run coax jexec two ifconfig gif0 create
	run coax jexec two ifconfig gif0 tunnel "$2" "$1" up
	bridged one 1
	bridged two 2
}

# vfield VNET PATH: a value of its gif0.
vfield()
{
	coax jexec "$1" coax rpc iface.get '{"name":"gif0"}' | tool get "$2" 0
}

atf_test_case example
example_head()
{
	about 60 "The example of if_bridge(4) as it is written, on both sides"
}
example_body()
{
	lab
	need_host
	coaxd_start
	# Two sites, one and two, each with a station h1, h2 behind its fxp0.
	for v in one two h1 h2; do
		run coax vnet create $v
	done
	for e in 'epair0 one two' 'epair1 one h1' 'epair2 two h2'; do
		set -- $e
		atf_check -o ignore ifconfig $1 create
		run ifconfig ${1}a vnet $2
		run ifconfig ${1}b vnet $3
	done
	atf_check -o ignore ifconfig epair1a name fxp0
	for i in epair0a epair0b epair1b epair2a epair2b fxp0; do
		run ifconfig $i up
	done
	run coax jexec one ip address add 1.2.3.4/24 dev epair0a
	run coax jexec one ip route add 5.6.7.0/24 dev epair0a
	run coax jexec two ip address add 5.6.7.8/24 dev epair0b
	run coax jexec two ip route add 1.2.3.0/24 dev epair0b
	run coax jexec h1 ip address add 198.51.100.1/24 dev epair1b
	run coax jexec h2 ip address add 198.51.100.2/24 dev epair2b
	cat >one.sh <<'END'
ifconfig gif0 create
ifconfig gif0 tunnel 1.2.3.4 5.6.7.8 up
ifconfig bridge0 create
ifconfig bridge0 addm fxp0 addm gif0 up
END
	run coax jexec one sh -e one.sh
	# "These are reversed on the remote bridge."
	sed -e 's/1.2.3.4 5.6.7.8/5.6.7.8 1.2.3.4/; s/fxp0/epair2a/' \
	    one.sh >two.sh
	run coax jexec two sh -e two.sh
	shows 'tunnel inet 1.2.3.4 --> 5.6.7.8' coax jexec one ifconfig gif0
	shows 'mtu 1500' coax jexec one ifconfig gif0
	pings h1 198.51.100.2
	for size in 1200 1472 4000; do
		atf_check -o ignore coax jexec h1 ping -n -q -c 1 -W 10 \
		    -s $size 198.51.100.2
	done
	[ "$(vfield one drops.gif-path-mtu)" -eq 0 ] || fail "too long"
	coaxd_stop
}

atf_test_case sizes
sizes_head()
{
	about 60 "IPv4 and IPv6: frames longer than the path takes, a narrow path"
}
sizes_body()
{
	underlay
	tunnels 192.0.2.1 192.0.2.2
	for family in 4 6; do
		if [ $family = 6 ]; then
			for v in 'one 2001:db8::1 2001:db8::2' \
			    'two 2001:db8::2 2001:db8::1'; do
				set -- $v
				run coax jexec $1 ifconfig gif0 tunnel $2 $3
			done
			shows 'tunnel inet6 2001:db8::1 --> 2001:db8::2' \
			    coax jexec one ifconfig gif0
		fi
		pings one 198.51.100.2
		for v in one two; do
			run coax jexec $v ifconfig bridge0 mtu 8192
		done
		for size in 56 1252 1472 8164 20000; do
			atf_check -o ignore coax jexec one \
			    ping -n -q -c 1 -W 10 -s $size 198.51.100.2
		done
		atf_check -s exit:1 -e match:'Invalid argument' \
		    coax jexec one ifconfig bridge0 mtu 9000
		shows 'mtu 8192' coax jexec one ifconfig gif0
	done
	coaxd_stop
}

atf_test_case peer
peer_head()
{
	about 60 "A peer made from RFC 3378: bytes on the wire, both forms, junk"
}
peer_body()
{
	need_program tshark
	/usr/bin/python3 -c 'import scapy' 2>/dev/null ||
	    atf_skip "scapy is not installed"
	underlay
	run coax jexec one ifconfig gif0 create
	run coax jexec one ifconfig gif0 tunnel 192.0.2.1 192.0.2.2 up
	bridged one 1
	background peer coax jexec two $etherip serve 192.0.2.2 192.0.2.1 \
	    02:00:00:00:00:99 198.51.100.9
	peer_pid=$bg_pid
	wait_for 'grep -q ready peer.out'
	background dump coax capture epair0a -w wire.pcapng
	dump_pid=$bg_pid
	wait_for '[ -s wire.pcapng ]'
	pings one 198.51.100.9
	kill -INT $dump_pid
	wait $dump_pid || true
	grep -q '^3000 ' peer.out || fail "no 30 00: $(cat peer.out)"
	grep -vq '^3000 \|ready' peer.out && fail "else: $(cat peer.out)"
	# Wireshark reads what we have sent, down to the echo request.
	tshark -r wire.pcapng -Y 'etherip.ver == 3 && icmp.type == 8' \
	    -T fields -e ip.proto -e ip.src -e icmp.type >decoded 2>/dev/null
	grep -q '^97,1.192.0.2.1,198.51.100.1.8$' decoded ||
	    fail "not decoded: $(cat decoded)"
	kill $peer_pid
	wait $peer_pid || true

	# A peer with the old mistake, and one that does as it does.
	background rev coax jexec two $etherip serve 192.0.2.2 192.0.2.1 \
	    02:00:00:00:00:98 198.51.100.8 reversed
	rev_pid=$bg_pid
	wait_for 'grep -q ready rev.out'
	pings one 198.51.100.8
	run coax jexec one ifconfig gif0 send_rev_ethip_ver
	shows 'options=11<ACCEPT_REV_ETHIP_VER,SEND_REV_ETHIP_VER>' \
	    coax jexec one ifconfig gif0
	pings one 198.51.100.8
	wait_for 'grep -q "^0300 " rev.out'
	run coax jexec one ifconfig gif0 -accept_rev_ethip_ver
	run coax jexec one ip neigh flush dev bridge0
	unpingable one 198.51.100.8
	[ "$(vfield one drops.etherip-version)" -gt 0 ] || fail "not counted"
	kill $rev_pid
	wait $rev_pid || true

	# What no peer sends: each is counted under its name, nothing passes.
	in=$(vfield one counters.ipackets)
	run coax jexec two $etherip send 192.0.2.2 192.0.2.1 30 3000 \
	    3000ffffffffffff0200000000 40000000000000000000000000000000 \
	    000000000000000000000000000000000000
	wait_for '[ "$(vfield one drops.etherip-short)" -eq 3 ]'
	[ "$(vfield one counters.ipackets)" -eq "$in" ] || fail "passed"
	coaxd_stop
}

atf_test_case strangers
strangers_head()
{
	about 60 "Only from the far end, and only from where it is routed to"
}
strangers_body()
{
	frame=3000ffffffffffff02000000007788b5$(printf '%092d' 0)

	need_program /usr/bin/python3
	/usr/bin/python3 -c 'import scapy' 2>/dev/null ||
	    atf_skip "scapy is not installed"
	underlay
	tunnels 192.0.2.1 192.0.2.2
	run coax jexec two ip address add 192.0.2.66/24 dev epair0b
	in=$(vfield one counters.ipackets)
	# The kernel has no socket for that pair: not even a drop.
	run coax jexec two $etherip send 192.0.2.66 192.0.2.1 $frame
	run coax jexec two $etherip send 192.0.2.2 192.0.2.1 $frame
	wait_for '[ "$(vfield one counters.ipackets)" -gt "$in" ]'
	run coax jexec one ifconfig gif0 ignore_source
	in=$(vfield one counters.ipackets)
	run coax jexec two $etherip send 192.0.2.66 192.0.2.1 $frame
	wait_for '[ "$(vfield one counters.ipackets)" -gt "$in" ]'
	run coax jexec one ifconfig gif0 -ignore_source

	# The way back to the far end leads elsewhere.
	atf_check -o ignore ifconfig epair1 create
	run ifconfig epair1a vnet one
	run coax jexec one ip link set epair1a up
	run coax jexec one ip route add 192.0.2.2/32 dev epair1a
	n=$(vfield one drops.gif-ingress)
	wait_for "coax jexec two $etherip send 192.0.2.2 192.0.2.1 $frame &&
	    [ \"\$(vfield one drops.gif-ingress)\" -gt $n ]"
	run coax jexec one ifconfig gif0 link2
	in=$(vfield one counters.ipackets)
	run coax jexec two $etherip send 192.0.2.2 192.0.2.1 $frame
	wait_for '[ "$(vfield one counters.ipackets)" -gt "$in" ]'
	coaxd_stop
}

atf_test_case icmp
icmp_head()
{
	about 90 "Errors by ICMP are counted; with df the path MTU is obeyed"
}
icmp_body()
{
	underlay
	run coax jexec one ifconfig gif0 create
	run coax jexec one ifconfig gif0 tunnel 192.0.2.1 192.0.2.2 up
	bridged one 1
	# Nobody there speaks the protocol.
	wait_for 'coax jexec one ping -n -q -c 1 -W 0.1 198.51.100.2;
	    [ "$(vfield one gif.icmp.unreachable)" -gt 0 ]'
	grep -q 'gif0: ICMP about' coaxd.err || fail "not told"
	shows 'UP.*RUNNING' coax jexec one ifconfig gif0

	# A router with a narrow way behind it: one - two - three.
	run coax vnet create three
	atf_check -o ignore ifconfig epair1 create
	run ifconfig epair1a vnet two
	run ifconfig epair1b vnet three
	for v in 'two epair1a 1' 'three epair1b 2'; do
		set -- $v
		run coax jexec $1 ip address add 203.0.113.$3/24 dev $2
		run coax jexec $1 ip link set $2 mtu 1400
		run coax jexec $1 ip link set $2 up
	done
	run coax jexec two sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	run coax jexec one ip route add 203.0.113.0/24 via 192.0.2.2
	run coax jexec three ip route add 192.0.2.0/24 via 203.0.113.1
	run coax jexec one ifconfig gif0 tunnel 192.0.2.1 203.0.113.2
	run coax jexec three ifconfig gif0 create
	run coax jexec three ifconfig gif0 tunnel 203.0.113.2 192.0.2.1 up
	bridged three 3
	pings one 198.51.100.3
	# In fragments, as long as nobody forbids it.
	atf_check -o ignore coax jexec one ping -n -q -c 1 -W 10 -s 1252 \
	    198.51.100.3
	run coax jexec one ifconfig bridge0 mtu 1500
	run coax jexec three ifconfig bridge0 mtu 1500
	atf_check -o ignore coax jexec one ping -n -q -c 1 -W 10 -s 1472 \
	    198.51.100.3
	run coax jexec one ifconfig gif0 df
	wait_for 'coax jexec one ping -n -q -c 1 -W 0.1 -s 1400 198.51.100.3;
	    [ "$(vfield one drops.gif-path-mtu)" -gt 0 ]'
	[ "$(vfield one gif.icmp.too_big)" -gt 0 ] || fail "not counted"
	shows 'df path mtu 1400' coax jexec one ifconfig gif0
	# What fits goes on.
	pings one 198.51.100.3
	atf_check -o ignore coax jexec one ping -n -q -c 1 -W 10 -s 1300 \
	    198.51.100.3
	run coax jexec one ifconfig gif0 -df ttl 1
	wait_for 'coax jexec one ping -n -q -c 1 -W 0.1 198.51.100.3;
	    [ "$(vfield one gif.icmp.time_exceeded)" -gt 0 ]'
	coaxd_stop
}

atf_test_case rounds
rounds_head()
{
	about 60 "A tunnel that leads through its own bridge, or to itself"
}
rounds_body()
{
	underlay
	refused "SIOCSIFPHYADDR: Can't assign requested address" \
	    coax jexec one ifconfig gif0 create tunnel 192.0.2.1 192.0.2.1
	run coax jexec one ifconfig gif0 destroy
	tunnels 192.0.2.1 192.0.2.2
	pings one 198.51.100.2
	# From now on the far end is said to be behind the bridge.
	run coax jexec one ip route add 192.0.2.2/32 dev bridge0
	run coax jexec one ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:42 \
	    dev bridge0
	coax jexec one ping -n -q -c 1 -W 0.2 198.51.100.77 >/dev/null || true
	wait_for '[ "$(vfield one drops.gif-loop)" -gt 0 ]'
	sent=$(vfield one counters.opackets)
	# Nothing goes round: a hundred frames more than what was sent would.
	coax jexec one ping -n -q -c 3 -i 0.2 -W 0.2 198.51.100.77 >/dev/null ||
	    true
	now=$(vfield one counters.opackets)
	[ $((now - sent)) -lt 100 ] || fail "$((now - sent)) packets"
	grep -q 'routed through its bridge' coaxd.err || fail "not told"
	run coax jexec one ip route del 192.0.2.2/32 dev bridge0
	pings one 198.51.100.2
	coaxd_stop
}

atf_test_case outer_vnet
outer_vnet_head()
{
	about 60 "The outer vnet is another one, ends, and is not kept alive"
}
outer_vnet_body()
{
	underlay
	run ifconfig gif0 create
	run ifconfig gif0 tunnel 192.0.2.1 192.0.2.2 up
	# At home there is no such address.
	shows '--> 192.0.2.2 .Cannot assign requested address' ifconfig gif0
	hides 'RUNNING' ifconfig gif0
	run ifconfig gif0 tunnelvnet one
	shows 'tunnelvnet: one' ifconfig gif0
	shows 'UP.*RUNNING' ifconfig gif0
	run coax jexec two ifconfig gif0 create
	run coax jexec two ifconfig gif0 tunnel 192.0.2.2 192.0.2.1 up
	bridged two 2
	run ifconfig bridge0 create
	run ifconfig bridge0 addm gif0 up
	run ifconfig bridge0 198.51.100.1/24
	wait_for 'ping -n -q -c 1 -W 1 198.51.100.2'
	refused 'tunnelvnet nowhere' ifconfig gif0 tunnelvnet nowhere
	coax export >export.txt
	grep -q 'tunnelvnet one' export.txt || fail "$(cat export.txt)"
	run coax vnet destroy one
	wait_for 'ifconfig gif0 | grep -q "No such device or address"'
	hides 'RUNNING' ifconfig gif0

	# A container's namespace ends with its process.
	unshare -n sleep 1000 &
	sleeper=$!
	wait_for '[ "$(readlink /proc/$sleeper/ns/net)" != \
	    "$(readlink /proc/self/ns/net)" ]'
	inode=$(stat -Lc %i /proc/$sleeper/ns/net)
	run nsenter -t $sleeper -n ip link set lo up
	run coax vnet attach box $sleeper
	run ifconfig gif0 tunnel 127.0.0.1 127.0.0.2 tunnelvnet box
	shows 'UP.*RUNNING' ifconfig gif0
	kill $sleeper
	wait $sleeper || true
	wait_for 'ifconfig gif0 | grep -q "No such device or address"'
	wait_for '! coax vnet list | grep -q box'
	run ifconfig gif0 -tunnelvnet tunnel 127.0.0.1 127.0.0.2
	shows 'UP.*RUNNING' ifconfig gif0
	coaxd_stop
}

atf_test_case late
late_head()
{
	about 60 "The source's address comes later, goes, and comes again"
}
late_body()
{
	underlay
	tunnels 192.0.2.1 192.0.2.2
	pings one 198.51.100.2
	run coax jexec one ip address del 192.0.2.1/24 dev epair0a
	wait_for 'coax jexec one ping -n -q -c 1 -W 0.1 198.51.100.2;
	    ! coax jexec one ifconfig gif0 | grep -q RUNNING'
	run coax jexec one ip address add 192.0.2.1/24 dev epair0a
	wait_for 'coax jexec one ifconfig gif0 | grep -q RUNNING'
	pings one 198.51.100.2
	coaxd_stop
}

atf_test_case host_side
host_side_head()
{
	about 60 "Addresses on it; nothing from there goes in or comes out"
}
host_side_body()
{
	underlay
	tunnels 192.0.2.1 192.0.2.2
	pings one 198.51.100.2
	run coax jexec one ifconfig gif0 203.0.113.1/24 203.0.113.2
	shows 'inet 203.0.113.1 --> 203.0.113.2' coax jexec one ifconfig gif0
	hides 'ether ' coax jexec one ifconfig gif0
	coax jexec one ping -n -q -c 1 -W 0.2 203.0.113.2 >/dev/null || true
	wait_for '[ "$(vfield one drops.unbridged)" -gt 0 ]'
	# The address is the host's, by every way.
	run coax jexec two ip route add 203.0.113.0/24 via 198.51.100.1
	pings two 203.0.113.1
	run coax jexec one ifconfig bridge0 deletem gif0
	n=$(vfield one drops.unbridged)
	wait_for "coax jexec two ping -n -q -c 1 -W 0.1 198.51.100.1;
	    [ \"\$(vfield one drops.unbridged)\" -gt $n ]"
	coaxd_stop
}

atf_test_case restored
restored_head()
{
	about 60 "An exported configuration makes the tunnel again"
}
restored_body()
{
	lab
	need_host
	coaxd_start
	cat >rc.conf <<'END'
cloned_interfaces="gif0 bridge0 feth0"
ifconfig_gif0="tunnel 127.0.0.1 127.0.0.2 ttl 9 send_rev_ethip_ver up"
ifconfig_bridge0="addm feth0 addm gif0 up"
END
	atf_check -o ignore coax apply rc.conf
	ifconfig gif0 >before
	grep -q 'tunnel inet 127.0.0.1 --> 127.0.0.2' before ||
	    fail "$(cat before)"
	grep -q 'ttl 9' before || fail "$(cat before)"
	coax export >saved
	coaxd_stop
	coaxd_start -f saved
	wait_for 'ifconfig gif0 | grep -q RUNNING'
	atf_check -o file:before ifconfig gif0
	shows 'member: gif0' ifconfig bridge0
	refused 'PHYADDR' ifconfig gif1 create tunnel 127.0.0.1 127.0.0.2
	coaxd_stop
}

atf_test_case stream
stream_head()
{
	about 60 "Streams through a tunnel over a wire of this daemon lose nothing"
	atf_set require.progs iperf3
}
stream_body()
{
	underlay
	tunnels 192.0.2.1 192.0.2.2
	pings one 198.51.100.2
	background server coax jexec two iperf3 -s -1
	wait_for 'coax jexec two ss -Hltn | grep -q :5201'
	atf_check -o save:client.out coax jexec one iperf3 -c 198.51.100.2 \
	    -n 30M -P 4
	for i in epair0a epair0b; do
		[ "$(dropped $i queue-full)" -eq 0 ] || fail "$(coax drops)"
		[ "$(dropped $i queue-bytes)" -eq 0 ] || fail "$(coax drops)"
	done
	coaxd_stop
}

atf_test_case ipsec
ipsec_head()
{
	about 60 "The example: a tunnel inside the kernel's IPsec"
}
ipsec_body()
{
	lab
	need_host
	coaxd_start
	status=0
	"$lib_dir/../../examples/gif-ipsec.sh" >ipsec.out 2>&1 || status=$?
	[ $status -ne 77 ] || atf_skip "this kernel has no ESP"
	[ $status -eq 0 ] || fail "$status: $(cat ipsec.out)"
	grep -q 'encrypted, all of it' ipsec.out || fail "$(cat ipsec.out)"
	wait_for '! coax vnet list | grep -q gif-'
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case example
	atf_add_test_case sizes
	atf_add_test_case peer
	atf_add_test_case strangers
	atf_add_test_case icmp
	atf_add_test_case rounds
	atf_add_test_case outer_vnet
	atf_add_test_case late
	atf_add_test_case host_side
	atf_add_test_case restored
	atf_add_test_case stream
	atf_add_test_case ipsec
}
