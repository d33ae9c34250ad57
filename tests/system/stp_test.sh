#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# Spanning tree on bridge(4): rings, meshes, hostile BPDUs, and other people's
# bridges: Linux's, and Open vSwitch where it is installed. The cases stp,
# stp_vlan and stp_validation ask what FreeBSD's tests of if_bridge ask.
#
# shellcheck disable=SC2016,SC2034,SC2086,SC2094,SC2119,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables; lists of words
# are split)

. "$(atf_get_srcdir)/lib.subr"

start()
{
	lab
	need_host
	coaxd_start
}

# bridges N: bridge0 .. with addresses in their order, and priorities.
bridges()
{
	for i in $(seq 0 $(($1 - 1))); do
		run ifconfig "bridge$i" create ether "02:00:00:00:00:b$i" \
		    priority $((4096 * (i + 1))) up
	done
}

# wire A B: a cable between two bridges of ours: wA_B and wB_A.
wire()
{
	atf_check -o ignore ifconfig "feth1$1$2" create name "w$1_$2" up
	atf_check -o ignore ifconfig "feth1$2$1" create name "w$2_$1" up
	run ifconfig "w$1_$2" -host peer "w$2_$1"
	run ifconfig "w$2_$1" -host
	for lib_e in "$1 $2" "$2 $1"; do
		set -- $lib_e
		run ifconfig "bridge$1" addm "w$1_$2" stp "w$1_$2"
	done
}

# card BRIDGE N: feth(N+1) is a member of the bridge with stp, fethN, its other
# end, a card of this namespace, which belongs to somebody else's bridge.
card()
{
	run ifconfig "feth$2" create peer "feth$(($2 + 1))" up
	run ifconfig "feth$(($2 + 1))" -host up
	run ifconfig "$1" addm "feth$(($2 + 1))" stp "feth$(($2 + 1))"
}

# port BRIDGE IF: its role, state and protocol.
port()
{
	ifconfig "$1" | awk -v m="$2" '
	    $1 == "member:" { on = $2 == m }
	    on && / proto / { sub(/.* proto /, ""); proto = $1 }
	    on && $1 == "role" { print $2, $4, proto }'
}

# is BRIDGE IF ROLE [STATE [PROTO]]
is()
{
	lib_want="$3 ${4-.*} ${5-.*}"
	port "$1" "$2" | grep -qx "$lib_want"
}

# becomes BRIDGE IF ROLE [STATE [PROTO]]: within SECONDS (20).
becomes()
{
	within $((${SECONDS_MAX-20} * 1000)) "is $*" ||
	    fail "$1: $2 is $(port "$1" "$2"), not $3 ${4-} ${5-}"
}

# root BRIDGE: the root's address, as the bridge has it.
root()
{
	ifconfig "$1" | awk '$1 == "root" { print $3 }'
}

# states STATE: how many ports of all our bridges are in it.
states()
{
	ifconfig -a | grep -c " state $1 "
}

# --- ours among themselves ----------------------------------------------------

# FreeBSD: two bridges in two jails and two cables.
two_jails()
{
	for i in a b; do
		run coax vnet create $i
		atf_check -o ignore coax jexec $i ifconfig bridge0 create
	done
	for i in 0 2; do
		run ifconfig feth$i create vnet a up
		run ifconfig feth$((i + 1)) create vnet b up
		run ifconfig feth$i peer feth$((i + 1))
	done
}

loop_is_cut()
{
	{
		coax jexec a ifconfig bridge0
		coax jexec b ifconfig bridge0
	} >both
	grep -q ' state forwarding' both && grep -q ' state discarding' both &&
	    [ "$(grep -c ' state forwarding' both)" -eq 3 ]
}

atf_test_case stp
stp_head()
{
	about 60 "FreeBSD: two cables between two bridges: one end discards"
}
stp_body()
{
	start
	two_jails
	run coax jexec a ifconfig bridge0 addm feth0 stp feth0 \
	    addm feth2 stp feth2 up
	run coax jexec b ifconfig bridge0 addm feth1 stp feth1 \
	    addm feth3 stp feth3 up
	within 5000 loop_is_cut || fail "$(cat both)"
	coaxd_stop
}

atf_test_case stp_vlan
stp_vlan_head()
{
	about 60 "FreeBSD: the same over VLANs of the cables"
}
stp_vlan_body()
{
	start
	two_jails
	for i in 0 2; do
		run coax jexec a ifconfig feth$i.42 create up
		run coax jexec b ifconfig feth$((i + 1)).42 create up
	done
	run coax jexec a ifconfig bridge0 addm feth0.42 stp feth0.42 \
	    addm feth2.42 stp feth2.42 up
	run coax jexec b ifconfig bridge0 addm feth1.42 stp feth1.42 \
	    addm feth3.42 stp feth3.42 up
	within 5000 loop_is_cut || fail "$(cat both)"
	coaxd_stop
}

atf_test_case stp_validation
stp_validation_head()
{
	about 60 "FreeBSD: BPDUs with illegal times go nowhere"
}
stp_validation_body()
{
	start
	run ifconfig bridge0 create ether 02:00:00:00:00:b0 up
	card bridge0 0
	card bridge0 2
	becomes bridge0 feth1 designated forwarding
	becomes bridge0 feth3 designated forwarding
	capture_start feth2 in.out -p
	n=0
	for type in 'version=0 type=0' 'version=2 type=2' 'version=3 type=2'; do
		for bad in age=5120 age=0xffff max=0 max=1535 max=10241 \
		    max=0xffff hello=0 hello=127 hello=0xffff fwd=0 fwd=895 \
		    fwd=7809 fwd=0xffff len=6 len=34 len=1000; do
			tool send feth0 "$(tool bpdu $type rootpri=4096 $bad)"
			n=$((n + 1))
		done
	done
	for bad in 'proto=1' 'type=1' 'type=0x81' 'version=1' 'version=0'; do
		tool send feth0 "$(tool bpdu rootpri=4096 $bad)"
		n=$((n + 1))
	done
	wait_for '[ "$(dropped feth1 bpdu-bad)" -eq "$n" ]'
	# Three hellos later nothing of it has been heard on the other side.
	before=$(wc -l <in.out)
	wait_for '[ "$(wc -l <in.out)" -ge $((before + 3)) ]'
	tool bpdus-legal in.out 02:00:00:00:00:b0 || fail "$(tool bpdus in.out)"
	[ "$(root bridge0)" = 02:00:00:00:00:b0 ] || fail "$(root bridge0)"
	is bridge0 feth3 designated forwarding || fail "$(port bridge0 feth3)"

	# A good one is believed, on that port alone; what is told on is ours.
	tool send feth0 "$(tool bpdu rootpri=4096)"
	becomes bridge0 feth1 root
	[ "$(root bridge0)" = 02:00:00:00:00:01 ] || fail "$(root bridge0)"
	marked "$(nocolon 02:00:00:00:00:01)....07d0....$(
	    nocolon 02:00:00:00:00:b0)" in.out
	! grep -q "^0180c2000000$(nocolon 02:00:00:00:00:01)" in.out ||
	    fail "a BPDU was relayed: $(cat in.out)"
	coaxd_stop
}

atf_test_case ring
ring_head()
{
	about 90 "A ring of four carries each frame once; a cut costs little"
}
ring_body()
{
	start
	bridges 4
	wire 0 1
	wire 1 2
	wire 2 3
	wire 3 0
	wait_for '[ "$(states forwarding)" -eq 7 ] &&
	    [ "$(states discarding)" -eq 1 ]'
	for i in 0 1 2 3; do
		[ "$(root bridge$i)" = 02:00:00:00:00:b0 ] || fail "bridge$i"
	done
	is bridge2 w2_3 alternate discarding ||
	    is bridge2 w2_1 alternate discarding || fail "$(ifconfig bridge2)"
	station s0 0
	station s2 2
	run ifconfig bridge0 addm vether0
	run ifconfig bridge2 addm vether2
	pings s0 192.0.2.2
	coax jexec s2 $lib_tool capture vether2 -p >got.out 2>got.err &
	wait_for 'grep -q ready got.err'
	coax jexec s0 $lib_tool stream vether0 2 3 >sent.out &
	stream=$!
	wait_for '[ "$(grep -c 88b6 got.out)" -gt 300 ]'
	# The root port of bridge2 loses its link, and gets it again.
	if is bridge2 w2_1 root; then
		near=w2_1 far=w1_2
	else
		near=w2_3 far=w3_2
	fi
	run ifconfig $near -peer
	wait_for '[ "$(grep -c 88b6 got.out)" -gt 800 ]'
	run ifconfig $near peer $far
	wait "$stream"
	tool send lo "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:0a 88b5)"
	pings s0 192.0.2.2
	tool stream-check got.out "$(cat sent.out)" >result
	cat result
	read -r _ lost _ twice <result
	[ "$twice" -eq 0 ] || fail "$(cat result)"
	# 2 ms each: an outage of timers would lose a thousand.
	[ "$lost" -le 250 ] || fail "$(cat result)"
	is bridge2 $near root forwarding || fail "$(ifconfig bridge2)"
	coaxd_stop
}

atf_test_case mesh
mesh_head()
{
	about 90 "Four bridges, each wired to each; the root dies"
}
mesh_body()
{
	start
	bridges 4
	for i in '0 1' '0 2' '0 3' '1 2' '1 3' '2 3'; do
		wire $i
	done
	wait_for '[ "$(states discarding)" -eq 3 ] &&
	    [ "$(states forwarding)" -eq 9 ]'
	station s1 1
	station s3 3
	run ifconfig bridge1 addm vether1
	run ifconfig bridge3 addm vether3
	pings s1 192.0.2.3
	run ifconfig bridge0 destroy
	wait_for '[ "$(root bridge3)" = 02:00:00:00:00:b1 ] &&
	    [ "$(root bridge2)" = 02:00:00:00:00:b1 ]'
	pings s1 192.0.2.3
	wait_for '[ "$(states discarding)" -eq 1 ]'
	coax jexec s3 $lib_tool capture vether3 -p >got.out 2>got.err &
	wait_for 'grep -q ready got.err'
	coax jexec s1 $lib_tool stream vether1 2 1 >sent.out
	pings s1 192.0.2.3
	tool stream-check got.out "$(cat sent.out)" >result
	atf_check -o inline:'lost 0 twice 0\n' cat result
	coaxd_stop
}

atf_test_case settings
settings_head()
{
	about 60 "Costs and priorities decide the way, without a gap"
}
settings_body()
{
	start
	bridges 2
	wire 0 1
	atf_check -o ignore ifconfig feth200 create name v0 up
	atf_check -o ignore ifconfig feth201 create name v1 up
	run ifconfig v0 -host peer v1
	run ifconfig v1 -host
	run ifconfig bridge0 addm v0 stp v0
	run ifconfig bridge1 addm v1 stp v1
	becomes bridge1 w1_0 root forwarding rstp
	becomes bridge1 v1 alternate discarding rstp
	run ifconfig bridge1 ifpathcost v1 100
	becomes bridge1 v1 root forwarding
	is bridge1 w1_0 alternate discarding || fail "$(port bridge1 w1_0)"
	shows 'ifcost 100 port 2$' ifconfig bridge1
	run ifconfig bridge1 ifpathcost v1 0
	becomes bridge1 w1_0 root forwarding
	run ifconfig bridge0 ifpriority v0 112
	becomes bridge1 v1 root forwarding
	run ifconfig bridge1 priority 0
	SECONDS_MAX=40 becomes bridge0 w0_1 root forwarding
	[ "$(root bridge0)" = 02:00:00:00:00:b1 ] || fail "$(root bridge0)"
	run ifconfig bridge0 -stp v0
	hides 'v0 flags=[0-9a-f]*<[A-Z,]*STP' ifconfig bridge0
	coaxd_stop
}

atf_test_case guards
guards_head()
{
	about 60 "BPDU guard, root guard, what they say and how they end"
}
guards_body()
{
	start
	coax monitor >events.out 2>events.err &
	wait_for 'ifconfig feth99 create; ifconfig feth99 destroy;
	    [ -s events.out ]'
	run ifconfig bridge0 create up
	card bridge0 0
	run ifconfig bridge0 stp-guard feth1 bpdu
	becomes bridge0 feth1 designated forwarding
	tool send feth0 "$(tool bpdu)"
	becomes bridge0 feth1 disabled discarding
	shows 'stp-guard bpdu held by bpdu-guard$' ifconfig bridge0
	marked 'bridge0: stp feth1 disabled: a BPDU came' events.out
	[ "$(dropped feth1 bpdu-guard)" -eq 1 ] || fail "not counted"
	run ifconfig bridge0 -stp-guard feth1 bpdu
	becomes bridge0 feth1 designated forwarding
	hides stp-guard ifconfig bridge0
	run ifconfig bridge0 stp-guard feth1 root stp-guard feth1 tc
	tool send feth0 "$(tool bpdu rootpri=0)"
	becomes bridge0 feth1 alternate discarding
	[ "$(root bridge0)" = "$(mac bridge0)" ] || fail "$(root bridge0)"
	becomes bridge0 feth1 designated forwarding
	coaxd_stop
}

# --- hostile ------------------------------------------------------------------

atf_test_case flood
flood_head()
{
	about 90 "A port that sends BPDUs without end hurts only itself"
}
flood_body()
{
	start
	coax monitor >events.out 2>events.err &
	wait_for 'ifconfig feth99 create; ifconfig feth99 destroy;
	    [ -s events.out ]'
	bridges 2
	wire 0 1
	card bridge0 0
	run ifconfig bridge0 stp-guard feth1 root
	station s0 10
	station s1 11
	run ifconfig bridge0 addm vether10
	run ifconfig bridge1 addm vether11
	becomes bridge1 w1_0 root forwarding
	pings s0 192.0.2.11
	before=$(wc -l <events.out)
	tool blast feth0 "$(tool bpdu rootpri=4096)" 3 >blast.out &
	blast=$!
	wait_for '[ "$(dropped feth1 bpdu-rate)" -gt 1000 ]'
	pings s0 192.0.2.11
	wait "$blast"
	pings s0 192.0.2.11
	echo "$(cat blast.out) sent, $(dropped feth1 bpdu-rate) not heard"
	is bridge1 w1_0 root forwarding rstp || fail "$(ifconfig bridge1)"
	sed "1,${before}d" events.out | grep ': stp ' >later.out || true
	! grep -E 'bridge1: |w0_1' later.out || fail "$(cat later.out)"
	marked 'bridge0: stp feth1 too many BPDUs' events.out
	[ "$(grep -c 'too many BPDUs' events.out)" -le 6 ] ||
	    fail "$(grep -c 'too many BPDUs' events.out) events"
	coaxd_stop
}

# --- what is logged -----------------------------------------------------------

# own_dev: a /dev with a log that is this case's.
own_dev()
{
	mkdir dev.old
	mount --bind /dev dev.old
	mount -t tmpfs tmpfs /dev
	mkdir /dev/net
	for i in null zero urandom random net/tun; do
		: >"/dev/$i"
		mount --bind "dev.old/$i" "/dev/$i" ||
		    atf_skip "no /dev of one's own here"
	done
	ln -s /proc/self/fd /dev/fd
	tool syslog /dev/log >log.out 2>log.err &
	wait_for 'grep -q ready log.err'
}

atf_test_case log_stp
log_stp_head()
{
	about 60 "log_stp: states through syslog(3), off at first"
}
log_stp_body()
{
	lab
	need_host
	own_dev
	"$COAX_BUILD/coaxd" -d -S "$COAX_SOCKET" || fail "coaxd -d"
	shows '^net.link.bridge.log_stp: 0$' sysctl net.link.bridge.log_stp
	run ifconfig bridge0 create up
	card bridge0 0
	becomes bridge0 feth1 designated forwarding
	! grep -q 'state changed' log.out || fail "$(cat log.out)"
	atf_check -o ignore sysctl net.link.bridge.log_stp=1
	run ifconfig feth1 down
	marked 'coaxd.*: bridge0: state changed to discarding on feth1$' log.out
	run ifconfig feth1 up
	marked 'coaxd.*: bridge0: state changed to learning on feth1$' log.out
	marked 'coaxd.*: bridge0: state changed to forwarding on feth1$' \
	    log.out
	pid=$(coax rpc daemon.info | tool get pid)
	kill -TERM "$pid"
	wait_for '! [ -e "$COAX_SOCKET" ]'
}

atf_test_case daemon_dies
daemon_dies_head()
{
	about 60 "A daemon that was killed: nothing forwards"
}
daemon_dies_body()
{
	start
	run ifconfig bridge0 create up
	card bridge0 0
	card bridge0 2
	becomes bridge0 feth1 designated forwarding
	becomes bridge0 feth3 designated forwarding
	capture_start feth2 in.out -p
	tool send feth0 "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:0a 88b5 a)"
	marked 88b561 in.out
	kill -KILL "$coaxd_pid"
	wait "$coaxd_pid" || true
	wait_for '! ip link show feth0 && ! ip link show feth2'
	coaxd_start
	hides bridge0 ifconfig -l
	coaxd_stop
}

# --- on the wire --------------------------------------------------------------

atf_test_case decodes
decodes_head()
{
	about 90 "tshark reads what is sent, and finds nothing wrong with it"
	atf_set require.progs "tshark tcpdump"
}
decodes_body()
{
	start
	bridges 2
	card bridge0 0
	run ifconfig bridge0 fwddelay 4 maxage 6 proto stp hellotime 1
	tcpdump -i feth0 -w one.pcap -U ether dst 01:80:c2:00:00:00 2>dump.err &
	wait_for 'grep -q listening dump.err'
	sleep_until_pcap()
	{
		tshark -r one.pcap -Y "$1" 2>/dev/null | grep -q .
	}
	wait_for "sleep_until_pcap stp.type==0x00"
	run ifconfig bridge0 proto rstp
	wait_for "sleep_until_pcap stp.type==0x02"
	# A worse bridge asks, and a better one; the second is told of changes.
	run ifconfig bridge0 proto stp
	tool send feth0 "$(tool bpdu version=0 type=0 flags=0 rootpri=0 \
	    max=1536 fwd=1024 hello=256)"
	becomes bridge0 feth1 root
	card bridge0 2
	within 30000 "tool send feth0 \"\$(tool bpdu version=0 type=0 flags=0 \
	    rootpri=0 max=1536 fwd=1024 hello=256)\"; \
	    sleep_until_pcap stp.type==0x80" || fail "no TCN was sent"
	tshark -r one.pcap -V 2>/dev/null >decoded
	! grep -iE 'malformed|expert info \((error|warn)' decoded ||
	    fail "$(grep -iE 'malformed|expert' decoded)"
	atf_check -o match:'BPDU Type: Configuration \(0x00\)' \
	    -o match:'BPDU Type: Rapid/Multiple Spanning Tree \(0x02\)' \
	    -o match:'BPDU Type: Topology Change Notification \(0x80\)' \
	    -o match:'Protocol Version Identifier: Rapid Spanning Tree \(2\)' \
	    -o match:'Port Role: Designated \(3\)' \
	    -o match:'Port identifier: 0x8001' \
	    -o match:'Root Bridge System ID: 02:00:00:00:00:b0' \
	    -o match:'Version 1 Length: 0' cat decoded
	coaxd_stop
}

# --- Linux's bridge -----------------------------------------------------------

# linux_bridge PRIORITY CARD ...: lx, with the shortest times.
linux_bridge()
{
	ip link add lx type bridge stp_state 1 priority "$1" \
	    forward_delay 400 max_age 600 hello_time 100 2>lx.err ||
	    atf_skip "no bridges in this kernel: $(cat lx.err)"
	ip link set lx address 02:00:00:00:00:11
	ip address add 192.0.2.99/24 dev lx
	shift
	for i in "$@"; do
		ip link set "$i" master lx
		echo 2000 >"/sys/class/net/$i/brport/path_cost"
	done
	ip link set lx up
}

# linux_is CARD STATE: forwarding 3, blocking 4.
linux_is()
{
	[ "$(cat "/sys/class/net/$1/brport/state")" -eq "$2" ]
}

atf_test_case linux_root
linux_root_head()
{
	about 120 "Linux's bridge is the root: we fall back to STP"
}
linux_root_body()
{
	start
	run ifconfig bridge0 create ether 02:00:00:00:00:b0 up
	card bridge0 0
	card bridge0 2
	linux_bridge 4096 feth0 feth2
	station s1 1
	run ifconfig bridge0 addm vether1
	SECONDS_MAX=40
	becomes bridge0 feth1 root forwarding stp
	becomes bridge0 feth3 alternate discarding
	[ "$(root bridge0)" = 02:00:00:00:00:11 ] || fail "$(root bridge0)"
	shows ' ifcost 2000 port 1$' ifconfig bridge0
	atf_check -o inline:'1000.020000000011\n' \
	    cat /sys/class/net/lx/bridge/root_id
	within 40000 'linux_is feth0 3 && linux_is feth2 3' ||
	    fail "$(cat /sys/class/net/feth?/brport/state)"
	pings s1 192.0.2.99
	# The way to the root is cut: the other one, with STP's timers.
	run ifconfig feth1 -peer
	becomes bridge0 feth3 root forwarding stp
	pings s1 192.0.2.99
	coaxd_stop
}

atf_test_case linux_leaf
linux_leaf_head()
{
	about 120 "We are the root of Linux's bridge; it goes, and mcheck asks"
}
linux_leaf_body()
{
	start
	run ifconfig bridge0 create ether 02:00:00:00:00:b0 priority 4096 \
	    fwddelay 4 maxage 6 up
	card bridge0 0
	card bridge0 2
	linux_bridge 8192 feth0 feth2
	station s1 1
	run ifconfig bridge0 addm vether1
	SECONDS_MAX=40
	becomes bridge0 feth1 designated forwarding stp
	becomes bridge0 feth3 designated forwarding stp
	atf_check -o inline:'1000.0200000000b0\n' \
	    cat /sys/class/net/lx/bridge/root_id
	atf_check -o inline:'2000\n' \
	    cat /sys/class/net/lx/bridge/root_path_cost
	within 40000 'linux_is feth0 3 && linux_is feth2 4' ||
	    fail "$(cat /sys/class/net/feth?/brport/state)"
	pings s1 192.0.2.99
	ip link set lx type bridge stp_state 0
	run ifconfig bridge0 mcheck feth1
	is bridge0 feth1 designated forwarding rstp ||
	    fail "$(port bridge0 feth1)"
	coaxd_stop
}

# --- Open vSwitch -------------------------------------------------------------

# ovs_start: a database and a switch of this case's own, in user space.
ovs_start()
{
	for i in ovsdb-tool ovsdb-server ovs-vswitchd ovs-vsctl ovs-appctl; do
		command -v $i >/dev/null ||
		    atf_skip "Open vSwitch is not installed"
	done
	[ "$(id -u)" -eq 0 ] || atf_skip "Open vSwitch wants root"
	mkdir ovs
	export OVS_RUNDIR="$PWD/ovs" OVS_LOGDIR="$PWD/ovs" \
	    OVS_DBDIR="$PWD/ovs" OVS_SYSCONFDIR="$PWD/ovs"
	{
		ovsdb-tool create ovs/conf.db \
		    /usr/share/openvswitch/vswitch.ovsschema &&
		    ovsdb-server ovs/conf.db --detach --no-chdir \
		        --remote="punix:$PWD/ovs/db.sock" \
		        --unixctl="$PWD/ovs/db.ctl" \
		        --pidfile="$PWD/ovs/db.pid" --log-file &&
		    vsctl --no-wait init &&
		    ovs-vswitchd "unix:$PWD/ovs/db.sock" --disable-system \
		        --detach --no-chdir --unixctl="$PWD/ovs/sw.ctl" \
		        --pidfile="$PWD/ovs/sw.pid" --log-file
	} >ovs.out 2>&1 || atf_skip "Open vSwitch does not start: $(
	    tail -n 1 ovs.out)"
}

vsctl()
{
	ovs-vsctl --db="unix:$PWD/ovs/db.sock" --timeout=30 "$@"
}

# ovs_bridge PRIORITY rstp|stp CARD ...: ovs0; its ports are numbered from 1.
ovs_bridge()
{
	lib_p=$1 lib_proto=$2 lib_n=1
	shift 2
	vsctl add-br ovs0 -- set bridge ovs0 datapath_type=netdev \
	    "${lib_proto}_enable=true" \
	    other_config:hwaddr=02:00:00:00:00:05 \
	    other_config:"${lib_proto}"-priority="$lib_p" \
	    other_config:stp-forward-delay=4 other_config:stp-max-age=6 \
	    other_config:stp-hello-time=1
	for i in "$@"; do
		vsctl add-port ovs0 "$i" -- set port "$i" \
		    "other_config:${lib_proto}-path-cost=2000" \
		    "other_config:${lib_proto}-port-num=$lib_n"
		lib_n=$((lib_n + 1))
	done
}

# ovs_is CARD ROLE STATE, as rstp/show or stp/show says.
ovs_is()
{
	ovs-appctl -t "$PWD/ovs/sw.ctl" "${lib_proto}/show" ovs0 |
	    grep -qiE "^ *$1 +$2 +$3 "
}

ovs_shows()
{
	ovs-appctl -t "$PWD/ovs/sw.ctl" "${lib_proto}/show" ovs0
}

atf_test_case ovs_rstp_root
ovs_rstp_root_head()
{
	about 120 "Open vSwitch with RSTP is the root; a cut; we take over"
}
ovs_rstp_root_body()
{
	start
	ovs_start
	run ifconfig bridge0 create ether 02:00:00:00:00:b0 up
	card bridge0 0
	card bridge0 2
	ovs_bridge 4096 rstp feth0 feth2
	becomes bridge0 feth1 root forwarding rstp
	becomes bridge0 feth3 alternate discarding rstp
	[ "$(root bridge0)" = 02:00:00:00:00:05 ] || fail "$(root bridge0)"
	wait_for 'ovs_is feth0 designated forwarding'
	run ifconfig feth1 -peer
	# No timer: the other way was known.
	is bridge0 feth3 root forwarding || fail "$(ifconfig bridge0)"
	run ifconfig feth1 peer feth0
	becomes bridge0 feth1 root forwarding rstp
	is bridge0 feth3 alternate discarding || fail "$(ifconfig bridge0)"
	run ifconfig bridge0 priority 0
	SECONDS_MAX=40 becomes bridge0 feth1 designated forwarding rstp
	wait_for 'ovs_is feth0 root forwarding &&
	    ovs_is feth2 alternate discarding'
	coaxd_stop
}

atf_test_case ovs_fall_back
ovs_fall_back_head()
{
	about 120 "Both directions of falling back, and of returning"
}
ovs_fall_back_body()
{
	start
	ovs_start
	run ifconfig bridge0 create ether 02:00:00:00:00:b0 priority 4096 \
	    fwddelay 4 maxage 6 up
	card bridge0 0
	ovs_bridge 8192 rstp feth0
	becomes bridge0 feth1 designated forwarding rstp
	# We speak STP: it falls back; we return: it does, too.
	run ifconfig bridge0 proto stp
	SECONDS_MAX=40
	becomes bridge0 feth1 designated forwarding stp
	capture_start feth0 wire.out -p -o
	wait_for 'tool bpdus wire.out | grep -q "^config"'
	run ifconfig bridge0 proto rstp
	becomes bridge0 feth1 designated forwarding rstp
	wait_for 'ovs_is feth0 root forwarding'
	# It speaks STP: we fall back; it speaks RSTP: we return.
	vsctl set bridge ovs0 rstp_enable=false -- \
	    set bridge ovs0 stp_enable=true other_config:stp-priority=0
	lib_proto=stp
	becomes bridge0 feth1 root forwarding stp
	wait_for 'ovs_is feth0 designated forwarding'
	vsctl set bridge ovs0 stp_enable=false -- \
	    set bridge ovs0 rstp_enable=true other_config:rstp-priority=0
	lib_proto=rstp
	becomes bridge0 feth1 root forwarding rstp
	coaxd_stop
}

atf_test_case ovs_stp
ovs_stp_head()
{
	about 120 "Open vSwitch with STP: as leaf, two cables"
}
ovs_stp_body()
{
	start
	ovs_start
	run ifconfig bridge0 create ether 02:00:00:00:00:b0 priority 4096 \
	    fwddelay 4 maxage 6 up
	card bridge0 0
	card bridge0 2
	ovs_bridge 8192 stp feth0 feth2
	SECONDS_MAX=40
	becomes bridge0 feth1 designated forwarding stp
	becomes bridge0 feth3 designated forwarding stp
	within 40000 'ovs_is feth0 root forwarding &&
	    ovs_is feth2 alternate blocking' || fail "$(ovs_shows)"
	run ifconfig feth1 -peer
	within 40000 'ovs_is feth2 root forwarding' || fail "$(ovs_shows)"
	coaxd_stop
}

atf_test_case mixed_ring
mixed_ring_head()
{
	about 150 "A ring of ours, Open vSwitch and Linux: one tree, one block"
}
mixed_ring_body()
{
	start
	ovs_start
	run ifconfig bridge0 create ether 02:00:00:00:00:b0 priority 4096 \
	    fwddelay 4 maxage 6 up
	# feth0 - feth1: we - OVS; feth2 - feth3: we - Linux; feth4 - feth5
	# between those two.
	card bridge0 0
	card bridge0 2
	run ifconfig feth4 create peer feth5 up
	run ifconfig feth5 up
	ovs_bridge 8192 rstp feth0 feth4
	linux_bridge 16384 feth2 feth5
	SECONDS_MAX=40
	becomes bridge0 feth1 designated forwarding rstp
	becomes bridge0 feth3 designated forwarding stp
	within 40000 'ovs_is feth0 root forwarding && linux_is feth2 3 &&
	    linux_is feth5 4' ||
	    fail "$(ovs_shows; cat /sys/class/net/feth[25]/brport/state)"
	atf_check -o inline:'1000.0200000000b0\n' \
	    cat /sys/class/net/lx/bridge/root_id
	# What we send, Linux gets once, by the short way; after a cut by the
	# long one.
	station s1 1
	run ifconfig bridge0 addm vether1
	pings s1 192.0.2.99
	run ifconfig feth3 -peer
	within 40000 'coax jexec s1 ping -n -q -c 1 -W 1 192.0.2.99' ||
	    fail "no way round: $(ovs_shows)"
	linux_is feth5 3 || fail "$(cat /sys/class/net/feth5/brport/state)"
	coaxd_stop
}

atf_test_case mixed_mesh
mixed_mesh_head()
{
	about 150 "Two of ours, Open vSwitch and Linux, each wired to each"
}
mixed_mesh_body()
{
	start
	ovs_start
	bridges 2
	# Of both: the second will be the root when the first is gone.
	run ifconfig bridge0 fwddelay 4 maxage 6
	run ifconfig bridge1 fwddelay 4 maxage 6
	wire 0 1
	card bridge0 0
	card bridge0 2
	card bridge1 4
	card bridge1 6
	run ifconfig feth8 create peer feth9 up
	run ifconfig feth9 up
	ovs_bridge 12288 rstp feth0 feth4 feth8
	linux_bridge 16384 feth2 feth6 feth9
	SECONDS_MAX=40
	becomes bridge1 w1_0 root forwarding rstp
	becomes bridge0 feth1 designated forwarding rstp
	becomes bridge0 feth3 designated forwarding stp
	becomes bridge1 feth5 designated
	becomes bridge1 feth7 designated forwarding stp
	within 40000 'ovs_is feth0 root forwarding &&
	    ovs_is feth4 alternate discarding && linux_is feth2 3 &&
	    linux_is feth6 4 && linux_is feth9 4' ||
	    fail "$(ovs_shows; cat /sys/class/net/feth[269]/brport/state)"
	for i in 0 1; do
		[ "$(root bridge$i)" = 02:00:00:00:00:b0 ] || fail "bridge$i"
	done
	atf_check -o inline:'1000.0200000000b0\n' \
	    cat /sys/class/net/lx/bridge/root_id
	station s1 1
	run ifconfig bridge1 addm vether1
	pings s1 192.0.2.99
	atf_check -o not-match:'DUP' coax jexec s1 ping -c 5 -i 0.2 192.0.2.99
	# The root is gone: bridge1 is it, and everybody is on a way of its.
	run ifconfig bridge0 destroy
	within 40000 '[ "$(cat /sys/class/net/lx/bridge/root_id)" = \
	    2000.0200000000b1 ] && ovs_is feth4 root forwarding &&
	    linux_is feth6 3 && linux_is feth9 4' ||
	    fail "$(ovs_shows; cat /sys/class/net/feth[69]/brport/state)"
	pings s1 192.0.2.99
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case stp
	atf_add_test_case stp_vlan
	atf_add_test_case stp_validation
	atf_add_test_case ring
	atf_add_test_case mesh
	atf_add_test_case settings
	atf_add_test_case guards
	atf_add_test_case flood
	atf_add_test_case log_stp
	atf_add_test_case daemon_dies
	atf_add_test_case decodes
	atf_add_test_case linux_root
	atf_add_test_case linux_leaf
	atf_add_test_case ovs_rstp_root
	atf_add_test_case ovs_fall_back
	atf_add_test_case ovs_stp
	atf_add_test_case mixed_ring
	atf_add_test_case mixed_mesh
}
