#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# The host side: a Linux netdev of the same name, and addresses on it.
#
# shellcheck disable=SC2016,SC2034,SC2094,SC2119,SC2129,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

start()
{
	lab
	need_host
	coaxd_start
}

# link IF PATTERN: ip link shows it in the end.
link()
{
	wait_for "ip link show $1 | grep -q '$2'"
}

# coax_shows IF PATTERN: and so does coax.
coax_shows()
{
	wait_for "ifconfig $1 | grep -q '$2'"
}

events_start()
{
	coax monitor --json >events.out 2>events.err &
	# It is there when something that we do shows up in it.
	wait_for 'ifconfig feth99 create; ifconfig feth99 destroy;
	    [ -s events.out ]'
}

atf_test_case same_name
same_name_head()
{
	about 30 "An interface is a netdev of its name, address, MTU"
}
same_name_body()
{
	start
	for i in tap0 feth0 vether0 bridge0; do
		run ifconfig $i create
		link $i "link/ether $(mac $i)"
		link $i 'mtu 1500'
		ip link show $i | grep -q '[<,]UP[,>]' && fail "$i is up"
		run ifconfig $i up
		link $i '[<,]UP[,>]'
		run ifconfig $i down
		wait_for "! ip link show $i | grep -q '[<,]UP[,>]'"
		run ifconfig $i ether 02:00:00:00:00:77
		link $i 02:00:00:00:00:77
		run ifconfig $i mtu 1400
		link $i 'mtu 1400'
		atf_check -o ignore ifconfig $i name card
		link card 'mtu 1400'
		run ifconfig card destroy
		wait_for '! ip link show card'
	done
	coaxd_stop
}

atf_test_case from_outside
from_outside_head()
{
	about 30 "What ip(8) changes on the netdev, coax shows"
}
from_outside_body()
{
	start
	run ifconfig tap0 create up
	run ip link set tap0 down
	wait_for '! ifconfig tap0 | grep -q "<UP"'
	run ip link set tap0 up
	coax_shows tap0 '<UP'
	run ip link set tap0 mtu 1300
	coax_shows tap0 'mtu 1300'
	run ip link set tap0 address 02:00:00:00:00:42
	coax_shows tap0 'ether 02:00:00:00:00:42'
	run ip address add 192.0.2.7/28 dev tap0
	coax_shows tap0 \
	    'inet 192.0.2.7 netmask 0xfffffff0'
	coaxd_stop
}

atf_test_case deleted_outside
deleted_outside_head()
{
	about 30 "Somebody deletes the netdev: an event, and host makes it again"
}
deleted_outside_body()
{
	start
	events_start
	switch 1
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 inet 192.0.2.9/24 up
	run ifconfig bridge0 addm feth0
	pings s1 192.0.2.9
	run ip link del feth1
	wait_for 'grep "\"host\"" events.out | grep -q feth1'
	shows '^feth1: ' ifconfig feth1
	wait_for '[ "$(field feth1 host none)" = none ]'
	unpingable s1 192.0.2.9
	run ifconfig feth1 host
	link feth1 'link/ether'
	run ifconfig feth1 up inet 192.0.2.9/24
	pings s1 192.0.2.9
	# Header size and offloads as before: TCP with super-frames passes.
	# shellcheck disable=SC2086 # words
	$lib_tool tcpserve 192.0.2.9 5000 >got.out 2>serve.err &
	wait_for 'grep -q ready serve.err'
	# shellcheck disable=SC2086
	run coax jexec s1 $lib_tool tcpsend 192.0.2.9 5000 3000000
	wait_for 'grep -q 3000000 got.out'
	coaxd_stop
}

atf_test_case host_words
host_words_head()
{
	about 30 "-host takes the netdev away, host makes it; host_attach=0"
}
host_words_body()
{
	start
	run ifconfig tap0 create up
	link tap0 UP
	run ifconfig tap0 -host
	wait_for '! ip link show tap0'
	shows '^tap0: flags=[0-9a-f]*<UP' ifconfig tap0
	refused . ifconfig tap0 inet 192.0.2.1/24
	run ifconfig tap0 host
	link tap0 UP
	atf_check -o inline:'net.link.host_attach: 1 -> 0\n' \
	    sysctl net.link.host_attach=0
	run ifconfig tap1 create
	atf_check -s exit:1 -e ignore ip link show tap1
	run ifconfig tap1 host
	link tap1 link/ether
	coaxd_stop
}

atf_test_case name_taken
name_taken_head()
{
	about 30 "A name that the host has already is a clear error"
}
name_taken_body()
{
	start
	run ip tuntap add tap0 mode tap
	refused 'tap0' ifconfig tap0 create
	ifconfig tap0 create 2>err && fail "created"
	grep -q 'exists' err || fail "$(cat err)"
	refused 'does not exist' ifconfig tap0
	atf_check -o inline:'\n' ifconfig -l
	run ip link del tap0
	run ifconfig tap0 create
	# Also on renaming.
	run ip tuntap add other mode tap
	refused 'exists' ifconfig tap0 name other
	shows '^tap0: ' ifconfig tap0
	run ip link del other
	coaxd_stop
}

atf_test_case addresses
addresses_head()
{
	about 60 "Every form of an address, and how it is printed"
}
addresses_body()
{
	start
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 -host up
	t=$(printf '\t')
	run ifconfig feth0 192.0.2.1/24
	shows "^${t}inet 192.0.2.1 netmask 0xffffff00 broadcast 192.0.2.255\$" \
	    ifconfig feth0
	run ifconfig feth0 inet 198.51.100.1 netmask 255.255.255.240 alias
	shows "^${t}inet 198.51.100.1 netmask 0xfffffff0 broadcast 198.51.100.15\$" \
	    ifconfig feth0
	run ifconfig feth0 inet 203.0.113.1 netmask 0xfffffffc alias
	shows "^${t}inet 203.0.113.1 netmask 0xfffffffc broadcast 203.0.113.3\$" \
	    ifconfig feth0
	run ifconfig feth0 inet 203.0.113.1 -alias
	hides 203.0.113.1 ifconfig feth0
	run ifconfig feth0 inet 198.51.100.1 delete
	hides 198.51.100.1 ifconfig feth0
	run ifconfig feth0 inet6 2001:db8::1 prefixlen 64
	shows "^${t}inet6 2001:db8::1 prefixlen 64" ifconfig feth0
	run ifconfig feth0 inet6 2001:db8::2/80 alias
	shows "^${t}inet6 2001:db8::2 prefixlen 80" ifconfig feth0
	run ifconfig feth0 inet6 2001:db8::2 -alias
	hides 2001:db8::2 ifconfig feth0
	run ifconfig feth0 inet6 fe80::1 prefixlen 64
	shows "^${t}inet6 fe80::1%feth0 prefixlen 64.* scopeid 0x[0-9a-f]*\$" \
	    ifconfig feth0
	# Point to point.
	run ifconfig feth0 inet 10.0.0.1/32 10.0.0.2 alias
	shows "^${t}inet 10.0.0.1 --> 10.0.0.2 netmask 0xffffffff" \
	    ifconfig feth0
	ip -4 address show dev feth0 | grep -q '10.0.0.1 peer 10.0.0.2' ||
	    fail "$(ip -4 address show dev feth0)"
	refused . ifconfig feth0 inet 192.0.2.300/24
	refused . ifconfig feth0 inet 192.0.2.5/33
	refused . ifconfig feth0 inet6 2001:db8::5/129
	refused . ifconfig feth0 inet 192.0.2.77 -alias
	refused . ifconfig feth0 inet 192.0.2.5 netmask 255.0.255.0
	coaxd_stop
}

atf_test_case quiet
quiet_head()
{
	about 60 "No traffic of the daemon's own making"
}
quiet_body()
{
	start
	# Everything that a member or its far end could send is seen on feth0.
	run ifconfig feth0 create peer feth1 up
	run ifconfig bridge0 create addm feth1 up
	/usr/bin/python3 "$lib_dir/tool.py" capture feth0 -p -o -t 2.5 \
	    >cap 2>cap.err &
	pid=$!
	wait_for 'grep -q ready cap.err'
	run ifconfig feth1 up
	run ifconfig bridge0 down
	run ifconfig bridge0 up
	run ifconfig vether0 create up
	run ifconfig bridge0 addm vether0
	run ifconfig tap0 create up
	run ifconfig bridge0 addm tap0
	tap_hold tap0
	# Through an MTU where Linux forgets IPv6, and back.
	run ifconfig bridge0 mtu 1000
	run ifconfig bridge0 mtu 1500
	run ifconfig feth0 mtu 1000
	run ifconfig feth0 mtu 1500
	wait $pid
	[ ! -s cap ] || {
		cat cap >&2
		fail "$(wc -l <cap) frames"
	}
	tap_release
	coaxd_stop
}

atf_test_case announced
announced_head()
{
	about 60 "A new IPv4 address is announced by ARP, unless there is none"
}
announced_body()
{
	start
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 up
	run ifconfig bridge0 create addm feth1 up
	capture_start feth0 cap
	run ifconfig bridge0 inet 192.0.2.1/24
	src=$(nocolon "$(mac bridge0)")
	marked "ffffffffffff${src}08060001080006040001${src}c0000201000000000000c0000201" cap
	# Not IPv6, not without ARP: none before the last.
	run ifconfig bridge0 inet6 2001:db8::1/64
	run ifconfig vether0 create -arp
	shows 'NOARP' ip link show vether0
	run ifconfig bridge0 addm vether0
	run ifconfig vether0 inet 192.0.2.2/24
	run ifconfig bridge0 inet 192.0.2.3/24 alias
	marked c0000203000000000000c0000203 cap
	atf_check -s exit:1 -o empty grep -q c0000202000000000000c0000202 cap
	# An address behind the members is known at once.
	atf_check -o inline:'epair1a\n' ifconfig epair1 create up
	run ifconfig epair1b up
	run ifconfig bridge0 addm epair1a
	run ifconfig epair1b inet 192.0.2.4/32
	wait_for 'ifconfig bridge0 addr | grep -q "^$(mac epair1b) Vlan0 epair1a "'
	kill "$capture_pid"
	run ifconfig vether0 arp
	hides 'NOARP' ip link show vether0
	# One on no link at all.
	atf_check -o inline:'lo1\n' ifconfig lo create inet 198.51.100.1/32
	shows 'NOARP' ip link show lo1
	wait_for 'ping -n -c 1 -W 1 198.51.100.1'
	coaxd_stop
}

atf_test_case no_uring
no_uring_head()
{
	about 60 "With plain system calls it works as with io_uring"
}
no_uring_body()
{
	lab
	need_host
	export COAX_NO_URING=1
	coaxd_start
	atf_check -o inline:'0\n' sysctl -n coax.io_uring
	switch 2
	pings s1 192.0.2.2
	# shellcheck disable=SC2086 # words
	coax jexec s2 $lib_tool tcpserve 192.0.2.2 5000 >got.out 2>serve.err &
	wait_for 'grep -q ready serve.err'
	# shellcheck disable=SC2086
	run coax jexec s1 $lib_tool tcpsend 192.0.2.2 5000 20000000
	wait_for 'grep -q 20000000 got.out'
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case same_name
	atf_add_test_case from_outside
	atf_add_test_case deleted_outside
	atf_add_test_case host_words
	atf_add_test_case name_taken
	atf_add_test_case addresses
	atf_add_test_case quiet
	atf_add_test_case announced
	atf_add_test_case no_uring
}
