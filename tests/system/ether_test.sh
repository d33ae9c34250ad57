#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# ether(4): netdevs of the host as ports, here ends of veths.
#
# shellcheck disable=SC2016,SC2034,SC2086,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables; words)

. "$(atf_get_srcdir)/lib.subr"

# cable NAME FAR N: a veth; its end NAME is here, FAR in a namespace with
# 192.0.2.N, entered by far_N CMD.
cable()
{
	unshare -n sleep 1000 &
	eval "far_pid_$3=$!"
	lib_pid=$!
	wait_for '[ "$(readlink /proc/$lib_pid/ns/net)" != \
	    "$(readlink /proc/self/ns/net)" ]'
	plug "$1" "$2" "$3" "$lib_pid"
}

plug()
{
	run ip link add "$1" type veth peer name "$2"
	run ip link set "$2" netns "$4"
	run nsenter -t "$4" -n ip address add "192.0.2.$3/24" dev "$2"
	run nsenter -t "$4" -n ip link set "$2" up
	run ip link set "$1" up
}

far()
{
	lib_n=$1
	shift
	eval "nsenter -t \$far_pid_$lib_n -n" '"$@"'
}

# ping_from N ADDRESS
ping_from()
{
	wait_for "far $1 ping -n -q -c 1 -W 1 $2"
}

# setting: eth0 (192.0.2.1 of the host, .9 behind it) and a vether (.5) on
# bridge0.
setting()
{
	lab
	need_host
	cable eth0 far0 9
	run ip address add 192.0.2.1/24 dev eth0
	coaxd_start
	station s5 5
	run ifconfig bridge0 create addm vether5 addm eth0 up
}

atf_test_case adopted
adopted_head()
{
	about 60 "A word that does something adopts, printing does not"
}
adopted_body()
{
	lab
	need_host
	cable eth0 far0 9
	run ip address add 192.0.2.1/24 dev eth0
	coaxd_start
	refused 'interface eth0 does not exist' ifconfig eth0
	refused 'interface eth0 does not exist' ifconfig eth0 inet
	refused 'interface eth0 does not exist' ifconfig eth0 destroy
	refused 'interface eth1 does not exist' ifconfig eth1 up
	atf_check -o inline:'\n' ifconfig -l
	run ifconfig eth0 description uplink
	atf_check -o inline:'eth0\n' ifconfig -l
	shows 'inet 192.0.2.1 ' ifconfig eth0
	shows "ether $(cat /sys/class/net/eth0/address)" ifconfig eth0
	shows 'status: active' ifconfig eth0
	# Both ways: what is said here, and what the host says.
	run ifconfig eth0 mtu 1400
	[ "$(cat /sys/class/net/eth0/mtu)" -eq 1400 ] || fail "mtu"
	run ip link set eth0 mtu 1300
	wait_for 'ifconfig eth0 | grep -q "mtu 1300"'
	run ifconfig eth0 192.0.2.77/24 alias
	ip address show dev eth0 | grep -q 192.0.2.77 || fail "no alias"
	run ifconfig eth0 down
	ip link show eth0 | grep -q 'state DOWN' || fail "up"
	run ip link set eth0 up
	wait_for 'ifconfig eth0 | grep -q "UP,.*RUNNING"'
	run ifconfig eth0 ether 02:00:00:00:00:31
	[ "$(cat /sys/class/net/eth0/address)" = 02:00:00:00:00:31 ] ||
	    fail "address"
	run ip link set eth0 address 02:00:00:00:00:32
	wait_for 'ifconfig eth0 | grep -q 02:00:00:00:00:32'
	run nsenter -t $far_pid_9 -n ip link set far0 down
	wait_for 'ifconfig eth0 | grep -q "no carrier"'
	run coax vnet create other
	refused 'Operation not supported' ifconfig eth0 vnet other
	# Released, it is there as before; a bad line adopts nothing.
	run ifconfig eth0 destroy
	ip address show dev eth0 | grep -q 192.0.2.1 || fail "address gone"
	refused 'mtu' ifconfig eth0 mtu x
	atf_check -o inline:'\n' ifconfig -l
	coaxd_stop
	ip link show eth0 >/dev/null || fail "the netdev is gone"
}

atf_test_case refusals
refusals_head()
{
	about 60 "What cannot be bridged is refused with the reason"
}
refusals_body()
{
	lab
	need_host
	coaxd_start
	run ifconfig bridge0 create up
	refused 'lo cannot be bridged: a loopback' ifconfig bridge0 addm lo
	refused 'lo cannot be bridged: a loopback' ifconfig lo up
	ip tuntap add tun7 mode tun
	refused 'tun7 cannot be bridged: it carries IP packets without' \
	    ifconfig bridge0 addm tun7
	refused 'BRDGADD nothing: No such file' ifconfig bridge0 addm nothing
	# A port of another switch.
	run ip link add br7 type bridge
	run ip link add v0 type veth peer name v1
	run ip link set v0 master br7
	refused 'v0 is a port of another switch' ifconfig bridge0 addm v0
	run ip link set v0 nomaster
	# It joins, or it is not adopted.
	run ifconfig feth0 create mtu 1500
	run ifconfig bridge0 addm feth0
	atf_check -o not-match:'v0' ifconfig -l
	run ifconfig bridge0 addm v0
	atf_check -o match:'v0' ifconfig -l
	refused 'File exists' ifconfig bridge0 addm v0
	coaxd_stop
}

atf_test_case both_ways
both_ways_head()
{
	about 60 "Cable, members and the host: everybody reaches everybody"
}
both_ways_body()
{
	setting
	ping_from 9 192.0.2.5          # cable to member
	pings s5 192.0.2.9             # and back
	wait_for 'ping -n -q -c 1 -W 1 192.0.2.5' # host to member
	pings s5 192.0.2.1             # and back
	wait_for 'ping -n -q -c 1 -W 1 192.0.2.9' # host to cable, as ever
	ping_from 9 192.0.2.1
	# Nothing goes round: each is seen once.
	coax jexec s5 ping -n -c 3 -i 0.2 192.0.2.1 >ping.out ||
	    fail "$(cat ping.out)"
	grep -q DUP ping.out && fail "$(cat ping.out)"
	nsenter -t $far_pid_9 -n ping -n -c 3 -i 0.2 192.0.2.5 >ping.out
	grep -q DUP ping.out && fail "$(cat ping.out)"
	shows 'promiscuous' coax rpc iface.get '{"name":"eth0"}'
	[ "$(field eth0 netdev.promiscuous)" = true ] || fail "not promiscuous"
	# By membership: no flag of the netdev's.
	ip link show eth0 | grep -q 'PROMISC,' && fail "the flag is set"
	ip -d link show eth0 | grep -q 'promiscuity 1' || fail "no membership"
	run ifconfig bridge0 deletem eth0
	wait_for 'ip -d link show eth0 | grep -q "promiscuity 0"'
	ip -br link | grep -q coaxh && fail "a TAP is left"
	ping_from 9 192.0.2.1
	coaxd_stop
}

atf_test_case offloads
offloads_head()
{
	about 60 "Super-frames cross whole; sums are right in the end"
}
offloads_body()
{
	setting
	ping_from 9 192.0.2.5
	background serve coax jexec s5 /usr/bin/python3 $lib_dir/tool.py \
	    tcpserve 192.0.2.5 5000 4000000
	wait_for 'coax jexec s5 ss -Hltn | grep -q :5000'
	before=$(field eth0 counters.ipackets)
	nsenter -t $far_pid_9 -n $lib_tool tcpsend 192.0.2.5 5000 4000000 ||
	    fail "$(cat serve.out)"
	now=$(field eth0 counters.ipackets)
	# 4 MB are 2700 frames of 1500 bytes.
	[ $((now - before)) -lt 1500 ] ||
	    fail "$((now - before)) frames: segments, not super-frames"
	coaxd_stop
}

atf_test_case tags
tags_head()
{
	about 60 "VLAN tags that the kernel took off are put back"
}
tags_body()
{
	lab
	need_host
	run ip link add eth0 type veth peer name eth1
	run ip link set eth0 up
	run ip link set eth1 up
	run sh -c 'echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6
	    echo 1 >/proc/sys/net/ipv6/conf/eth1/disable_ipv6'
	coaxd_start
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 -host up
	run ifconfig bridge0 create addm eth0 addm feth1 up
	capture_start feth0 got
	for tag in 8100a005 88a80007; do
		$lib_tool send eth1 \
		    "ffffffffffff020000000042${tag}88b5$(printf '%092d' 0)" ||
		    fail "send"
	done
	wait_for 'grep -q 8100a00588b5 got'
	wait_for 'grep -q 88a8000788b5 got'
	# The other way, in band.
	capture_start eth1 back
	$lib_tool send feth0 \
	    "ffffffffffff0200000000438100300988b5$(printf '%092d' 0)"
	wait_for 'grep -q 020000000043 back'
	coaxd_stop
}

atf_test_case host_away
host_away_head()
{
	about 60 "-host takes the netdev from its host, host gives it back"
}
host_away_body()
{
	setting
	ping_from 9 192.0.2.1
	run ifconfig eth0 -host
	[ "$(field eth0 netdev.host)" = taken ] || fail "not taken"
	atf_check -s not-exit:0 -o ignore ping -n -q -c 2 -i 0.2 -W 0.3 -w 1 \
	    192.0.2.9
	atf_check -s not-exit:0 -o ignore nsenter -t $far_pid_9 -n \
	    ping -n -q -c 2 -i 0.2 -W 0.3 -w 1 192.0.2.1
	unpingable s5 192.0.2.1
	ping_from 9 192.0.2.5
	coax export >saved
	grep -q 'ifconfig_eth0=.*-host' saved || fail "$(cat saved)"
	run ifconfig eth0 host
	ping_from 9 192.0.2.1
	pings s5 192.0.2.1
	run ifconfig eth0 -host
	# The end of the daemon gives it back, too.
	coaxd_stop
	ping_from 9 192.0.2.1
}

atf_test_case comes_back
comes_back_head()
{
	about 60 "The netdev goes, and another of its name takes its place"
}
comes_back_body()
{
	setting
	ping_from 9 192.0.2.5
	run ip link delete eth0
	wait_for 'grep -q "eth0: its netdev has gone" coaxd.err'
	hides RUNNING ifconfig eth0
	shows 'member: eth0' ifconfig bridge0
	plug eth0 far0 9 $far_pid_9
	wait_for 'grep -q "eth0: its netdev has come back" coaxd.err'
	wait_for 'ifconfig eth0 | grep -q RUNNING'
	run nsenter -t $far_pid_9 -n ip neigh flush all
	run coax jexec s5 ip neigh flush all
	ping_from 9 192.0.2.5
	# What comes in its place cannot be bridged.
	run ip link delete eth0
	wait_for '[ "$(grep -c "netdev has gone" coaxd.err)" -eq 2 ]'
	ip tuntap add eth0 mode tun
	wait_for 'grep -q "without Ethernet headers" coaxd.err'
	hides RUNNING ifconfig eth0
	coaxd_stop
}

atf_test_case restored
restored_head()
{
	about 60 "A configuration adopts, and is exported"
}
restored_body()
{
	lab
	need_host
	cable em0 far0 9
	cable em1 far1 8
	cat >rc.conf <<'END'
cloned_interfaces="bridge0"
ifconfig_bridge0="addm em0 addm em1 up"
ifconfig_em0="up"
ifconfig_em1="up description cable"
END
	coaxd_start -f rc.conf
	shows 'member: em0' ifconfig bridge0
	ping_from 9 192.0.2.8
	coax export >saved
	coaxd_stop
	coaxd_start -f saved
	shows 'member: em1' ifconfig bridge0
	shows 'description: cable' ifconfig em1
	ping_from 9 192.0.2.8
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case adopted
	atf_add_test_case refusals
	atf_add_test_case both_ways
	atf_add_test_case offloads
	atf_add_test_case tags
	atf_add_test_case host_away
	atf_add_test_case comes_back
	atf_add_test_case restored
}
