#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# DHCP and SYNCDHCP: a client in the vnet, which the daemon looks after.
#
# shellcheck disable=SC2016,SC2034,SC2119,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

# server: a DHCP server at 192.0.2.1, in a vnet of its own, on bridge1.
server()
{
	station s1 1
	run ifconfig bridge1 create addm vether1 up
	dhcp_server "--dhcp-option=15,\$(touch $PWD/evil)"
}

# has_address VNET IF: one of the server's.
has_address()
{
	in_vnet "$1" ip -4 address show dev "$2" | grep -q 'inet 192\.0\.2\.[56]'
}

# client_of IF: the process id of its client, or nothing.
client_of()
{
	for lib_p in /proc/[0-9]*; do
		tr '\0' ' ' <"$lib_p/cmdline" 2>/dev/null |
		    grep -qE "^[^ ]*(udhcpc|dhclient|busybox udhcpc) .*$1( |\$)" &&
		    echo "${lib_p#/proc/}"
	done
	:
}

# all_of CLIENT: from the first word to the last.
all_of()
{
	need_host
	need_program dnsmasq "$1"
	export COAX_DHCP="$1"
	cat /etc/resolv.conf >resolv.before 2>/dev/null || :
	coaxd_start
	server
	run coax vnet create s2
	run ifconfig vether2 create vnet s2
	run ifconfig bridge1 addm vether2
	run ifconfig vether2 DHCP
	shows '<UP,' ifconfig vether2
	wait_for 'has_address s2 vether2'
	shows '	inet 192\.0\.2\.[56][0-9]* netmask 0xffffff00' ifconfig vether2
	shows "	dhcp: bound 192\.0\.2\.[56][0-9]*/24 router 192\.0\.2\.1 server 192\.0\.2\.1 lease 3600 s" \
	    ifconfig vether2
	atf_check -o match:'default via 192.0.2.1 dev vether2 proto dhcp' \
	    coax jexec s2 ip route
	atf_check -o match:'valid_lft [1-3][0-9]*sec' \
	    coax jexec s2 ip -4 address show dev vether2
	pings s2 192.0.2.1
	[ "$(field vether2 dhcp.client)" = "$1" ] || fail "another client"
	# It is in the vnet, and can hardly do anything.
	pid=$(client_of vether2)
	[ "$(readlink "/proc/$pid/ns/net")" = \
	    "$(in_vnet s2 readlink /proc/self/ns/net)" ] || fail "not there"
	atf_check -o inline:'CapEff:\t0000000000002400\n' \
	    grep CapEff "/proc/$pid/status"
	atf_check -o match:'NoNewPrivs:	1' cat "/proc/$pid/status"
	# Every file is read-only for it: of all mounts the options begin so.
	atf_check -o empty awk '$6 !~ /^ro(,|$)/' "/proc/$pid/mountinfo"
	# What the network says reaches no shell, and no file of the machine.
	[ ! -e evil ] || fail "the server's words were run"
	cat /etc/resolv.conf >resolv.after 2>/dev/null || :
	[ ! -e resolv.before ] ||
	    atf_check -o file:resolv.before cat resolv.after
	# It is exported, its address is not.
	coax export >out
	atf_check -o match:'^ifconfig_vether2="vnet s2 DHCP ' \
	    -o not-match:'192\.0\.2\.[56]' cat out
	# One that ends is started anew, and the address is there again.
	kill -KILL "$pid"
	wait_for '[ "$(client_of vether2)" != "$pid" ] &&
	    [ -n "$(client_of vether2)" ]'
	wait_for 'has_address s2 vether2'
	# Down ends it, up begins it.
	run ifconfig vether2 down
	wait_for '[ -z "$(client_of vether2)" ]'
	wait_for '! has_address s2 vether2'
	shows 'dhcp: off' ifconfig vether2
	run ifconfig vether2 up
	wait_for 'has_address s2 vether2'
	# Another vnet: another client there.
	run coax vnet create s3
	run ifconfig vether2 vnet s3
	wait_for 'has_address s3 vether2'
	# SYNCDHCP returns when the address is there.
	run ifconfig vether2 -DHCP
	wait_for '[ -z "$(client_of vether2)" ]'
	hides 'inet ' ifconfig vether2
	hides 'dhcp' ifconfig vether2
	run ifconfig vether2 SYNCDHCP
	has_address s3 vether2 || fail "SYNCDHCP did not wait"
	# The end of the interface is the end of the client.
	run ifconfig vether2 destroy
	wait_for '[ -z "$(client_of vether2)" ]'
	# A daemon that is killed takes its clients along.
	run ifconfig vether3 create
	run ifconfig bridge1 addm vether3
	run ifconfig vether3 SYNCDHCP
	pid=$(client_of vether3)
	kill -KILL "$coaxd_pid"
	wait_for '! kill -0 "$pid"'
}

atf_test_case udhcpc
udhcpc_head()
{
	about 120 "An address by udhcpc, from the first word to the last"
}
udhcpc_body()
{
	lab
	all_of udhcpc
}

atf_test_case dhclient
dhclient_head()
{
	about 120 "An address by dhclient, from the first word to the last"
}
dhclient_body()
{
	lab
	all_of dhclient
}

atf_test_case udhcpc_rootless
udhcpc_rootless_head()
{
	about 120 "An address by udhcpc, as an ordinary user"
}
udhcpc_rootless_body()
{
	ordinary
	lab
	all_of udhcpc
}

atf_test_case dhclient_rootless
dhclient_rootless_head()
{
	about 120 "An address by dhclient, as an ordinary user"
}
dhclient_rootless_body()
{
	ordinary
	lab
	all_of dhclient
}

atf_test_case example
example_head()
{
	about 60 "if_bridge(4): addm em0 addm em1 DHCP, by rc.conf"
}
example_body()
{
	lab
	need_host
	need_program dnsmasq udhcpc
	coaxd_start
	server
	# A bridge between two cards; the server is behind em1.
	run ifconfig feth10 create
	run ifconfig feth11 create peer feth10 up
	run ifconfig feth20 create
	run ifconfig feth21 create peer feth20 up
	run ifconfig bridge1 addm feth21
	cat >rc.conf <<'END'
ifconfig_feth10_name="em0"
ifconfig_feth20_name="em1"
cloned_interfaces="bridge0"
ifconfig_bridge0="addm em0 addm em1 DHCP"
ifconfig_em0="up"
ifconfig_em1="up"
synchronous_dhclient="YES"
defaultrouter="198.51.100.1"
END
	atf_check -o save:out -e save:err coax apply rc.conf
	atf_check -o match:'^\+ifconfig_bridge0="SYNCDHCP addm em0 addm em1 up"' \
	    cat out
	atf_check -o match:'defaultrouter is left alone: routes are the host' \
	    cat out err
	# synchronous_dhclient: it is there, without any wait.
	shows 'inet 192\.0\.2\.[56][0-9]* netmask' ifconfig bridge0
	atf_check -o not-match:198.51.100.1 ip route
	atf_check -o match:'default via 192.0.2.1 dev bridge0' ip route
	wait_for 'ping -n -q -c 1 -W 1 192.0.2.1'
	coax export >before
	atf_check -o match:'^ifconfig_bridge0="SYNCDHCP addm em0 addm em1 up"' \
	    cat before
	# Applied again there is nothing to do, and the client stays.
	pid=$(client_of bridge0)
	atf_check -o ignore -e ignore coax apply rc.conf
	run coax apply before
	[ "$(client_of bridge0)" = "$pid" ] || fail "another client"
	run ifconfig bridge0 destroy
	wait_for '[ -z "$(client_of bridge0)" ]'
	coaxd_stop
}

atf_test_case start
start_head()
{
	about 60 "coaxd -f: with SYNCDHCP it is ready when the address is there"
}
start_body()
{
	lab
	need_host
	need_program dnsmasq udhcpc
	cat >rc.conf <<'END'
vnets="s1"
cloned_interfaces="vether1 bridge0"
ifconfig_vether1="vnet s1 inet 192.0.2.1/24"
ifconfig_bridge0="addm vether1 DHCP"
END
	coaxd_start -f rc.conf
	dhcp_server
	wait_for "ip -4 address show dev bridge0 | grep -q 'inet 192'"
	atf_check -o ignore -e empty sysctl net.link.host_dhcp_wait=1
	coax export >before
	coaxd_stop
	# Nobody answers: it starts all the same, soon.
	sed -i 's/ DHCP/ SYNCDHCP/; s/"DHCP/"SYNCDHCP/' before
	coaxd_start -f before
	atf_check -o ignore grep 'bridge0: no lease so far; it goes on asking' \
	    coaxd.err
	atf_check -o match:'bridge0="SYNCDHCP' coax export
	coaxd_stop
}

atf_test_case nobody_answers
nobody_answers_head()
{
	about 60 "SYNCDHCP without a server: the wait has an end, the client not"
}
nobody_answers_body()
{
	lab
	need_host
	need_program udhcpc
	coaxd_start
	atf_check -o ignore sysctl net.link.host_dhcp_wait=1
	run ifconfig bridge0 create up
	run ifconfig vether0 create
	run ifconfig bridge0 addm vether0
	atf_check -o empty \
	    -e inline:'ifconfig: vether0: no lease so far; it goes on asking\n' \
	    ifconfig vether0 SYNCDHCP
	shows 'dhcp: asking' ifconfig vether0
	# Other clients are served while one waits, and its end is theirs.
	atf_check -o ignore sysctl net.link.host_dhcp_wait=3600
	ifconfig vether0 SYNCDHCP 2>wait.err &
	waiting=$!
	wait_for 'ifconfig vether0 | grep -q asking'
	run ifconfig vether0 destroy
	wait "$waiting" || :
	run ifconfig bridge0 maxaddr 7
	# Without a wait at all.
	atf_check -o ignore sysctl net.link.host_dhcp_wait=0
	run ifconfig vether1 create
	atf_check -o empty -e match:'no lease so far' ifconfig vether1 SYNCDHCP
	coaxd_stop
}

atf_test_case no_client
no_client_head()
{
	about 60 "Without a client, or without a host side, it is refused"
}
no_client_body()
{
	lab
	need_host
	# An empty file, which is no program, in the place of each.
	: >nothing
	chmod 644 nothing
	for p in /usr/sbin/udhcpc /sbin/udhcpc /usr/sbin/dhclient \
	    /sbin/dhclient /usr/bin/busybox /bin/busybox; do
		[ ! -e "$p" ] || mount --bind nothing "$p" || skip "no mounts"
	done
	coaxd_start
	run ifconfig vether0 create
	refused 'DHCP: Operation not supported' ifconfig vether0 DHCP
	refused 'no DHCP client here: udhcpc, busybox or dhclient must' \
	    ifconfig vether0 SYNCDHCP
	hides UP ifconfig vether0
	echo 'ifconfig_vether0="DHCP"' >rc.conf
	refused 'rc.conf:1: ifconfig_vether0: vether0: DHCP: Operation not' \
	    coax apply rc.conf
	run ifconfig vether0 -DHCP
	coaxd_stop
	printf 'cloned_interfaces="vether0"\n' >>rc.conf
	atf_check -s exit:1 -e match:'rc.conf:1: .*no DHCP client here' \
	    "$COAX_BUILD/coaxd" -S "$COAX_SOCKET" -f rc.conf
}

atf_test_case broken_client
broken_client_head()
{
	about 60 "A client that cannot work gives way to the next, at intervals"
}
broken_client_body()
{
	lab
	need_host
	need_program dnsmasq dhclient
	mkdir bin
	printf '#!/bin/sh\necho "no such thing" >&2\nexit 3\n' >bin/udhcpc
	chmod 755 bin bin/udhcpc
	PATH=$PWD/bin:$PATH
	export COAX_DHCP=udhcpc
	coaxd_start
	server
	run ifconfig vether2 create
	run ifconfig bridge1 addm vether2
	run ifconfig vether2 DHCP
	wait_for 'ifconfig vether2 | grep -q "waiting (udhcpc ended: no such"'
	coaxd_stop
	kill -0 "$dnsmasq_pid" 2>/dev/null && kill "$dnsmasq_pid"
	unset COAX_DHCP
	coaxd_start
	server
	run ifconfig vether2 create
	run ifconfig bridge1 addm vether2
	run ifconfig vether2 SYNCDHCP
	atf_check -o match:'inet 192' ip -4 address show dev vether2
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case udhcpc
	atf_add_test_case dhclient
	atf_add_test_case udhcpc_rootless
	atf_add_test_case dhclient_rootless
	atf_add_test_case example
	atf_add_test_case start
	atf_add_test_case nobody_answers
	atf_add_test_case no_client
	atf_add_test_case broken_client
}
