#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# Packet filters: real kernels behind the ports of a bridge, and ipfw between
# them. Stations s1, s2 ... are 192.0.2.1, .2 ... behind vether1, vether2 ...
#
# shellcheck disable=SC2016,SC2034,SC2119,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

begin()
{
	lab
	need_host
	coaxd_start
	switch "${1-2}"
	pings s1 192.0.2.2
}

# set_to NAME=VALUE
set_to()
{
	atf_check -o ignore sysctl "$1"
}

# count NUMBER: packets that a rule has matched.
count()
{
	ipfw -a list "$1" | awk '{ print $2 }'
}

atf_test_case members
members_head()
{
	about 120 "In and out of members: what rules say, and nothing without pfil_member"
}
members_body()
{
	begin 3
	run ipfw -q add 100 deny icmp from any to any in recv vether1
	pings s1 192.0.2.2 # no switch is on
	set_to net.link.bridge.pfil_member=1
	unpingable s1 192.0.2.2
	pings s2 192.0.2.3
	[ "$(count 100)" -gt 0 ] || fail "rule 100 has matched nothing"
	[ "$(dropped vether1 filtered)" -gt 0 ] || fail "no drop is counted"
	run ipfw delete 100
	pings s1 192.0.2.2
	run ipfw -q add 100 deny icmp from 192.0.2.1 to any out xmit vether2
	unpingable s1 192.0.2.2
	pings s1 192.0.2.3
	run ipfw set move rule 100 to 4
	run ipfw set disable 4
	pings s1 192.0.2.2
	run ipfw set enable 4
	unpingable s1 192.0.2.2
	run ipfw disable firewall
	pings s1 192.0.2.2
	run ipfw -q flush
	coaxd_stop
}

atf_test_case bridge
bridge_head()
{
	about 120 "On the bridge, in and out"
}
bridge_body()
{
	begin
	set_to net.link.bridge.pfil_bridge=1
	run ipfw -q add 100 deny icmp from any to any in via bridge0
	unpingable s1 192.0.2.2
	run ipfw delete 100
	pings s1 192.0.2.2
	run ipfw -q add 100 deny ip6 from any to any out via bridge0
	pings s1 192.0.2.2
	unpingable s1 2001:db8::2
	run ipfw delete 100
	pings s1 2001:db8::2
	coaxd_stop
}

atf_test_case layer2
layer2_head()
{
	about 120 "net.link.bridge.ipfw: frames at layer 2, ARP if it is wanted"
}
layer2_body()
{
	begin
	set_to net.link.bridge.pfil_member=1
	set_to net.link.bridge.ipfw=1
	atf_check -o inline:'0\n' sysctl -n net.link.bridge.pfil_member
	atf_check -o inline:'0\n' sysctl -n net.link.bridge.pfil_onlyip
	run ipfw -q add 100 deny mac-type arp layer2
	run coax jexec s1 ip neigh flush dev vether1
	pings s1 192.0.2.2
	set_to net.link.bridge.ipfw_arp=1
	run coax jexec s1 ip neigh flush dev vether1
	unpingable s1 192.0.2.2
	run ipfw delete 100
	pings s1 192.0.2.2
	run ipfw -q add 100 deny MAC any "$(station_mac s1 1)" layer2
	unpingable s1 192.0.2.2
	coaxd_stop
}

atf_test_case local
local_head()
{
	about 120 "The host's own packets pass once, whatever the bridge's switches say"
}
local_body()
{
	begin
	run ip address add 192.0.2.100/24 dev bridge0
	pings s1 192.0.2.100
	run ipfw -q add 100 count icmp from 192.0.2.1 to any in via bridge0
	run ipfw -q add 110 count icmp from 192.0.2.100 to any out via bridge0
	run ipfw -q add 120 count icmp from 192.0.2.1 to any out via vether1
	wait_for 'coax jexec s1 ping -n -q -c 1 -W 1 192.0.2.100'
	a=$(count 100) b=$(count 110)
	{ [ "$a" -eq "$b" ] && [ "$a" -gt 0 ]; } || fail "$a in and $b out"
	# The rules are home's: s1 has its own.
	[ "$(count 120)" -eq 0 ] || fail "another vnet's door was filtered"
	run coax jexec s1 ipfw -q add 5 deny icmp from any to any out via vether1
	unpingable s1 192.0.2.100
	run coax jexec s1 ipfw -fq flush
	run ipfw -q add 130 deny icmp from any to 192.0.2.100
	unpingable s1 192.0.2.100
	coaxd_stop
}

atf_test_case tcp
tcp_head()
{
	about 120 "TCP: a state for a connection, a reset for what is refused"
}
tcp_body()
{
	begin
	set_to net.link.bridge.pfil_member=1
	printf '%s\n' 'check-state' \
	    'add allow tcp from 192.0.2.1 to any 7777 setup keep-state' \
	    'add reset tcp from any to any' >rules
	sed -i 's/^check-state/add check-state/' rules
	run ipfw -q "$PWD/rules"
	cat >server.py <<'END'
import socket
s = socket.create_server(("192.0.2.2", 7777))
print("ready", flush=True)
for _ in range(1):
    c, _ = s.accept()
    c.sendall(c.recv(100).upper())
END
	in_vnet s2 python3 server.py >server.out &
	wait_for 'grep -q ready server.out'
	atf_check -o inline:'HELLO\n' coax jexec s1 python3 -c '
import socket
s = socket.create_connection(("192.0.2.2", 7777), 20)
s.sendall(b"hello")
print(s.recv(100).decode())'
	shows 'tcp 192.0.2.1 [0-9]+ <-> 192.0.2.2 7777 :default' ipfw -d list
	# Refused, and at once: it was told.
	atf_check -s exit:1 -e match:'ConnectionRefusedError' \
	    coax jexec s1 python3 -c '
import socket
socket.create_connection(("192.0.2.2", 7778), 20)'
	atf_check -s exit:1 -e match:'ConnectionRefusedError' \
	    coax jexec s2 python3 -c '
import socket
socket.create_connection(("192.0.2.1", 7777), 20)'
	shows 'is denied, with an answer: 00300 reset tcp' \
	    coax trace vether2 dst "$(mac vether1)" tcp 192.0.2.2:5 to \
	    192.0.2.1:80
	coaxd_stop
}

atf_test_case pipe
pipe_head()
{
	about 120 "dummynet: a link of 20 ms each way, and its rate, by the kernel's clock"
}
pipe_body()
{
	begin
	set_to net.link.bridge.ipfw=1
	run ipfw pipe 1 config delay 20
	run ipfw -q add 100 pipe 1 icmp from any to any layer2 out
	atf_check -o save:ping.txt coax jexec s1 ping -n -q -c 5 -i 0.2 -W 5 192.0.2.2
	ms=$(sed -n 's|^rtt min[^=]*= \([0-9]*\)\..*|\1|p' ping.txt)
	# The shortest of five: the machine's load is in the others.
	if [ "$ms" -lt 40 ] || [ "$ms" -gt 60 ]; then
		fail "$ms ms there and back, not 40"
	fi
	shows '^00001: unlimited +20 ms burst 0' ipfw pipe list
	run ipfw pipe 1 config bw 64Kbit/s
	# Two times 1000 bytes and headers at 64 kbit/s: 260 ms.
	atf_check -o save:ping.txt coax jexec s1 \
	    ping -n -q -c 3 -i 1 -W 5 -s 1000 192.0.2.2
	ms=$(sed -n 's|^rtt min[^=]*= \([0-9]*\)\..*|\1|p' ping.txt)
	if [ "$ms" -lt 260 ] || [ "$ms" -gt 290 ]; then
		fail "$ms ms there and back, not 260"
	fi
	run ipfw pipe 1 delete
	unpingable s1 192.0.2.2
	[ "$(dropped vether2 pipe-none)" -gt 0 ] || fail "no drop is counted"
	coaxd_stop
}

atf_test_case big
big_head()
{
	about 180 "A table of 100 000 addresses by a file, listed while traffic goes on"
}
big_body()
{
	begin
	awk 'BEGIN { for (i = 0; i < 100000; i++)
		printf "table t add 10.%d.%d.%d %d\n", i / 65536,
		    i / 256 % 256, i % 256, i
		print "add 100 count ip from table(t) to any"
		print "add 200 bogus" }' >rules
	atf_check -s exit:65 -e inline:"Line 100002: invalid action \`\`bogus''\n" \
	    ipfw -q "$PWD/rules"
	shows '^100 *$|^00100 count ip from table\(t\) to any' ipfw list 100
	coax jexec s1 ping -n -q -i 0.02 -c 400 192.0.2.2 >ping.out &
	ping_pid=$!
	ipfw table t list >listed
	[ "$(wc -l <listed)" -eq 100001 ] || fail "$(wc -l <listed) lines"
	[ "$(sort -u listed | wc -l)" -eq 100001 ] || fail "some are there twice"
	sed 1d listed | cut -d' ' -f2 | sort -n -c || fail "not in their order"
	wait "$ping_pid" || fail "$(cat ping.out)"
	# All went on: the whole list takes more than two seconds.
	ms=$(sed -n 's|^rtt [^=]*= [^/]*/\([0-9]*\)\..*|\1|p' ping.out)
	[ "$ms" -lt 80 ] || fail "$ms ms on average while it was listed"
	coaxd_stop
}

atf_test_case another_package
another_package_head()
{
	about 120 "A second filter, of one file, beside ipfw"
}
another_package_body()
{
	lab
	need_host
	mkdir bin
	ln -s "$COAX_BUILD/examples/coaxd-noquic" bin/coaxd
	real=$COAX_BUILD
	COAX_BUILD=$PWD/bin
	coaxd_start
	COAX_BUILD=$real
	switch 2
	atf_check -o inline:'net.pfil.noquic: 0\n' sysctl net.pfil.noquic
	set_to net.link.bridge.pfil_member=1
	set_to net.pfil.noquic=1
	pings s1 192.0.2.2
	cat >udp.py <<'END'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in (443, 444):
    s.sendto(b"x", ("192.0.2.2", port))
END
	run coax jexec s1 python3 udp.py
	wait_for '[ "$(dropped vether1 filtered)" -eq 1 ]'
	set_to net.pfil.noquic=0
	run coax jexec s1 python3 udp.py
	run ipfw -q add 100 deny udp from any to any 444
	run coax jexec s1 python3 udp.py
	wait_for '[ "$(dropped vether1 filtered)" -eq 2 ]'
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case members
	atf_add_test_case bridge
	atf_add_test_case layer2
	atf_add_test_case local
	atf_add_test_case tcp
	atf_add_test_case pipe
	atf_add_test_case big
	atf_add_test_case another_package
}
