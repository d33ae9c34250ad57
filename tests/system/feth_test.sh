#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# feth(4): a wire with two ends.
#
# shellcheck disable=SC2016,SC2034,SC2094,SC2119,SC2129,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

# wire: feth0 and feth1, peered and up; both are cards of this namespace.
wire()
{
	lab
	need_host
	coaxd_start
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 up
}

hex()
{
	printf %s "$1" | od -An -tx1 | tr -d ' \n'
}

atf_test_case peering
peering_head()
{
	about 30 "peer, -peer and the refusals of both"
}
peering_body()
{
	lab_or_here
	coaxd_start
	run ifconfig feth0 create
	run ifconfig feth1 create
	run ifconfig feth2 create
	run ifconfig tap0 create
	refused 'Device not configured' ifconfig feth0 peer feth9
	refused 'Invalid argument' ifconfig feth0 peer tap0
	refused 'Invalid argument' ifconfig feth0 peer feth0
	run ifconfig feth0 peer feth1
	refused 'Device busy' ifconfig feth0 peer feth1
	refused 'Device busy' ifconfig feth2 peer feth1
	shows 'peer: feth0' ifconfig feth1
	run ifconfig feth1 -peer
	shows 'peer: <none>' ifconfig feth0
	shows 'status: inactive' ifconfig feth0
	run ifconfig feth1 -peer
	run ifconfig feth1 peer feth2
	run ifconfig feth2 destroy
	shows 'peer: <none>' ifconfig feth1
	shows 'status: inactive' ifconfig feth1
	coaxd_stop
}

atf_test_case create_pair
create_pair_head()
{
	about 30 "create peer makes and connects both ends, or nothing"
}
create_pair_body()
{
	lab_or_here
	coaxd_start
	run ifconfig feth0 create peer feth5
	shows 'peer: feth5' ifconfig feth0
	shows 'peer: feth0' ifconfig feth5
	shows 'ether 66:65:74:68:00:05' ifconfig feth5
	refused 'Device busy' ifconfig feth7 create peer feth5
	refused 'does not exist' ifconfig feth7
	run ifconfig tap0 create
	refused 'Invalid argument' ifconfig feth7 create peer tap0
	refused 'does not exist' ifconfig feth7
	coaxd_stop
}

atf_test_case tcpdump_sees
tcpdump_sees_head()
{
	about 60 "With an address on feth0, tcpdump on feth1 sees its traffic"
	atf_set require.progs tcpdump
}
tcpdump_sees_body()
{
	wire
	run ifconfig feth0 inet 192.0.2.1/24
	tcpdump -Z "$(id -un)" -lnei feth1 >dump.out 2>dump.err &
	wait_for 'grep -q "listening on feth1" dump.err'
	ping -n -c 1 -W 1 192.0.2.2 >ping.out 2>&1 || true
	wait_for 'grep -q "Request who-has 192.0.2.2.* tell 192.0.2.1" dump.out'
	grep -q 66:65:74:68:00:00 dump.out || fail "not its address"
	run ip neighbour replace 192.0.2.2 lladdr 66:65:74:68:00:01 \
	    dev feth0
	ping -n -c 1 -W 1 192.0.2.2 >ping.out 2>&1 || true
	wait_for 'grep -q "192.0.2.1 > 192.0.2.2: ICMP echo request" dump.out'
	coaxd_stop
}

atf_test_case inject
inject_head()
{
	about 30 "What is injected into either side comes out of the other"
}
inject_body()
{
	wire
	for way in "feth0 feth1" "feth1 feth0"; do
		# shellcheck disable=SC2086 # two words
		set -- $way
		capture_start "$2" "$1.cap"
		tool send "$1" "$(frame ff:ff:ff:ff:ff:ff \
		    02:00:00:00:00:01 88b5 "to all from $1")"
		marked "88b5$(hex "to all from $1")" "$1.cap"
		tool send "$1" "$(frame "$(mac "$2")" \
		    02:00:00:00:00:01 88b5 "from $1")"
		marked "88b5$(hex "from $1")" "$1.cap"
		[ "$(wc -l <"$1.cap")" -eq 2 ] ||
		    fail "other frames too: $(cat "$1.cap")"
		kill "$capture_pid"
	done
	coaxd_stop
}

atf_test_case two_machines
two_machines_head()
{
	about 60 "A wire between two vnets: they reach each other, v4 and v6"
}
two_machines_body()
{
	lab
	need_host
	coaxd_start
	run coax vnet create alice
	run coax vnet create bob
	run ifconfig feth0 create peer feth1 vnet alice up
	run ifconfig feth1 vnet bob up
	run coax jexec alice ip address add 192.0.2.1/24 dev feth0
	run coax jexec bob ip address add 192.0.2.2/24 dev feth1
	run coax jexec alice ip address add 2001:db8::1/64 dev feth0 nodad
	run coax jexec bob ip address add 2001:db8::2/64 dev feth1 nodad
	pings alice 192.0.2.2
	pings bob 2001:db8::1
	run ifconfig feth1 down
	unpingable alice 192.0.2.2
	[ "$(dropped feth0 peer-down)" -gt 0 ] || fail "not counted"
	run ifconfig feth1 up
	pings alice 192.0.2.2
	run ifconfig feth0 -peer
	wait_for 'in_vnet alice ip link show feth0 | grep -q NO-CARRIER'
	run ifconfig feth0 peer feth1
	wait_for 'in_vnet alice ip link show feth0 | grep -q LOWER_UP'
	pings alice 192.0.2.2
	coaxd_stop
}

atf_test_case same_unit_elsewhere
same_unit_elsewhere_head()
{
	about 30 "Another vnet's feth0 has an address of its own"
}
same_unit_elsewhere_body()
{
	lab
	need_host
	coaxd_start
	run coax vnet create alice
	run ifconfig feth0 create
	run ifconfig -j alice feth0 create
	[ "$(mac feth0)" = 66:65:74:68:00:00 ] || fail "$(mac feth0)"
	other=$(ifconfig -j alice feth0 | awk '$1 == "ether" { print $2 }')
	[ "$other" != 66:65:74:68:00:00 ] || fail "twice the same"
	case $other in
	?[26ae]:*) ;;
	*) fail "$other is not locally administered" ;;
	esac
	run ifconfig feth0 peer feth0@alice
	shows 'peer: feth0@alice' ifconfig feth0
	coaxd_stop
}

atf_test_case mtu
mtu_head()
{
	about 30 "MTU: 72 to what max_mtu was; each end limits what it sends"
}
mtu_body()
{
	wire
	shows 'mtu 1500' ifconfig feth0
	run ifconfig feth0 mtu 2048
	wait_for 'ip link show feth0 | grep -q "mtu 2048"'
	refused 'SIOCSIFMTU.*Invalid argument' ifconfig feth0 mtu 2049
	refused 'SIOCSIFMTU.*Invalid argument' ifconfig feth0 mtu 71
	shows 'mtu 1500' ifconfig feth1
	run ifconfig feth1 mtu 2048
	run ifconfig feth0 mtu 1000
	run ifconfig feth0 mtu 1500
	# 1514 bytes pass; the other end's MTU is not asked.
	run ifconfig feth1 mtu 600
	capture_start feth1 cap
	big=$(head -c 1490 /dev/zero | tr '\0' 'x')
	tool send feth0 "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:01 \
	    88b5 "$big")"
	tool send feth0 "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:01 \
	    88b5 last)"
	marked "88b5$(hex last)" cap
	[ "$(wc -l <cap)" -eq 2 ] || {
		cut -c1-120 cap >&2
		fail "$(wc -l <cap) frames"
	}
	coaxd_stop
}

atf_test_case faults
faults_head()
{
	about 60 "Test features: every Nth dropped, stall, trailer and FCS"
}
faults_body()
{
	wire
	capture_start feth1 cap
	f=$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:01 88b5 fault)
	run ifconfig feth0 txdrops 3
	shows 'faults: txdrops 3' ifconfig feth0
	tool send feth0 "$f" 9
	wait_for '[ "$(wc -l <cap)" -eq 6 ]'
	[ "$(dropped feth0 fault-tx-drops)" -eq 3 ] || fail "not counted"
	run ifconfig feth0 txdrops 0
	hides 'faults' ifconfig feth0

	# Stalled: nothing goes; then all, in order.
	run ifconfig feth0 stall
	for n in 1 2 3; do
		tool send feth0 "$(frame ff:ff:ff:ff:ff:ff \
		    02:00:00:00:00:01 88b5 "held$n")"
	done
	wait_for 'ifconfig feth0 | grep -q "stall held 3"'
	[ "$(wc -l <cap)" -eq 6 ] || fail "something came through"
	run ifconfig feth0 -stall
	wait_for '[ "$(wc -l <cap)" -eq 9 ]'
	tail -n 3 cap | cut -c29-38 >order
	printf '%s\n' "$(hex held1)" "$(hex held2)" "$(hex held3)" >want
	atf_check -o file:want cat order
	# More than the queue holds is counted.
	run ifconfig feth0 stall
	# In portions that the netdev's own queue holds.
	for n in 500 1000; do
		tool send feth0 "$f" 500
		wait_for "ifconfig feth0 | grep -q 'stall held $n'"
	done
	tool send feth0 "$f" 500
	wait_for '[ "$(dropped feth0 fault-stall)" -eq 476 ]'
	run ifconfig feth0 down
	run ifconfig feth0 -stall up
	[ "$(dropped feth0 if-down)" -eq 1024 ] || fail "if-down"

	# A trailer and an FCS: 60 bytes become 60 + 10 + 4.
	run ifconfig feth0 trailer 10 fcs
	shows 'faults: trailer 10 fcs' ifconfig feth0
	: >cap
	tool send feth0 "$f"
	wait_for '[ -s cap ]'
	got=$(tail -n 1 cap)
	[ ${#got} -eq 148 ] || fail "${#got} digits: $got"
	case $got in
	"$f$(hex trailertra)"*) ;;
	*) fail "$got" ;;
	esac
	run $lib_tool fcs "$got"
	refused . ifconfig feth0 trailer 29
	run ifconfig feth0 -fcs trailer 0
	hides faults ifconfig feth0
	coaxd_stop
}

atf_test_case fault_defaults
fault_defaults_head()
{
	about 30 "The variables hold for interfaces that are made later"
}
fault_defaults_body()
{
	lab_or_here
	coaxd_start
	run ifconfig feth0 create
	atf_check -o ignore sysctl net.link.fake.tx_drops=7 \
	    net.link.fake.trailer_length=5 net.link.fake.fcs=1 \
	    net.link.fake.max_mtu=9000
	run ifconfig feth1 create
	hides faults ifconfig feth0
	shows 'faults: txdrops 7 trailer 5 fcs' ifconfig feth1
	run ifconfig feth1 mtu 9000
	refused 'SIOCSIFMTU' ifconfig feth0 mtu 9000
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case peering
	atf_add_test_case create_pair
	atf_add_test_case tcpdump_sees
	atf_add_test_case inject
	atf_add_test_case two_machines
	atf_add_test_case same_unit_elsewhere
	atf_add_test_case mtu
	atf_add_test_case faults
	atf_add_test_case fault_defaults
}
