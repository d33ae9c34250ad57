#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# bridge(4): forwarding, addresses, members, the host's port.
#
# shellcheck disable=SC2016,SC2034,SC2094,SC2119,SC2129,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

# start_switch N: a bridge with N stations.
start_switch()
{
	lab
	need_host
	coaxd_start
	switch "$1"
}

# start_cables N: a bridge with N cables, and captures behind the far ends:
# feth0 is captured in 0.cap, feth2 in 2.cap ...
start_cables()
{
	lab
	need_host
	coaxd_start
	cables "$1"
	for i in $(seq 0 2 $((2 * $1 - 1))); do
		capture_start "feth$i" "$i.cap" -p
	done
}

hex()
{
	printf %s "$1" | od -An -tx1 | tr -d ' \n'
}

# put N DST SRC TEXT: a frame into the bridge by the cable feth$N.
put()
{
	tool send "feth$1" "$(frame "$2" "$3" 88b5 "$4")"
}

# got N TEXT: it comes out there. silent N TEXT: it has not, after a later
# broadcast has.
got()
{
	marked "88b5$(hex "$2")" "$1.cap"
}

silent()
{
	! grep -q "88b5$(hex "$2")" "$1.cap" || fail "feth$1 got $2"
}

addr()
{
	ifconfig bridge0 addr
}

all=ff:ff:ff:ff:ff:ff
a=02:00:00:00:00:0a
b=02:00:00:00:00:0b
c=02:00:00:00:00:0c

atf_test_case three_stations
three_stations_head()
{
	about 60 "Three vnets on one bridge reach one another, v4 and v6"
}
three_stations_body()
{
	start_switch 3
	for i in 1 2 3; do
		for k in 1 2 3; do
			[ $i = $k ] && continue
			pings s$i 192.0.2.$k
			pings s$i 2001:db8::$k
		done
	done
	for i in 1 2 3; do
		shows "$(mac vether$i) Vlan0 vether$i " ifconfig bridge0 addr
	done
	# Large packets: fragments both ways.
	atf_check -o ignore coax jexec s1 ping -n -q -c 3 -i 0.2 -s 4000 \
	    192.0.2.2
	coaxd_stop
}

atf_test_case selective
selective_head()
{
	about 60 "Known unicasts go to one port, all else to all the others"
}
selective_body()
{
	start_cables 3
	# Broadcast, multicast, unknown unicast: to both others, not back.
	put 0 $all $a broad
	put 0 01:00:5e:00:00:05 $a multi
	put 0 $b $a unknown
	for n in 2 4; do
		got $n broad
		got $n multi
		got $n unknown
	done
	# a was learned on feth1; b is now on feth3.
	put 2 $a $b answer
	got 0 answer
	put 0 $b $a known
	got 2 known
	put 4 $all $c end
	got 0 end
	got 2 end
	silent 4 answer
	silent 4 known
	silent 0 broad
	silent 0 unknown
	# To an address behind the port that it came from: nowhere, counted.
	put 0 $a 02:00:00:00:00:0d back
	put 0 $all $a end2
	got 4 end2
	silent 2 back
	silent 4 back
	shows 'same-port' coax drops
	# Reserved group addresses are not forwarded.
	put 0 01:80:c2:00:00:0e $a lldp
	put 0 01:80:c2:00:00:00 $a bpdu
	put 0 $all $a end3
	got 2 end3
	silent 2 lldp
	silent 2 bpdu
	shows 'bpdu-unused' coax drops
	coaxd_stop
}

atf_test_case address_table
address_table_head()
{
	about 60 "Learned, static, deleted, flushed: the table shows it"
}
address_table_body()
{
	start_cables 2
	atf_check -o empty ifconfig bridge0 addr
	put 0 $all $a one
	got 2 one
	atf_check -o match:"^$a Vlan0 feth1 1[12][0-9][0-9] flags=0<>\$" \
	    ifconfig bridge0 addr
	run ifconfig bridge0 deladdr $a
	atf_check -o empty ifconfig bridge0 addr
	refused 'No such file or directory' ifconfig bridge0 deladdr $a

	# Static entries are not moved by traffic, and survive flush.
	run ifconfig bridge0 static feth1 $b
	atf_check -o inline:"$b Vlan0 feth1 0 flags=1<STATIC>\n" \
	    ifconfig bridge0 addr
	put 2 $all $b two
	got 0 two
	put 2 $all $c three
	got 0 three
	shows "^$b Vlan0 feth1 0 flags=1<STATIC>" ifconfig bridge0 addr
	shows "^$c Vlan0 feth3 " ifconfig bridge0 addr
	run ifconfig bridge0 flush
	atf_check -o inline:"$b Vlan0 feth1 0 flags=1<STATIC>\n" \
	    ifconfig bridge0 addr
	run ifconfig bridge0 flushall
	atf_check -o empty ifconfig bridge0 addr

	# The refusals of FreeBSD's own test.
	refused . ifconfig bridge0 static feth9 $b
	refused . ifconfig bridge0 static feth1 00:01:02:03:04
	refused . ifconfig bridge0 deladdr 00:01:02:03:04
	refused 'invalid vlan id' ifconfig bridge0 static feth1 $b vlan 5000
	run ifconfig bridge0 static feth1 $b vlan 10
	shows "^$b Vlan10 feth1 0 flags=1<STATIC>" ifconfig bridge0 addr
	refused . ifconfig bridge0 deladdr $b vlan 20
	run ifconfig bridge0 deladdr $b vlan 10
	atf_check -o empty ifconfig bridge0 addr
	coaxd_stop
}

atf_test_case many_addresses
many_addresses_head()
{
	about 60 "A long table is printed page by page, each address once"
}
many_addresses_body()
{
	start_switch 1
	hush s1 vether1
	run ifconfig feth0 create peer feth1 -host up
	run ifconfig bridge0 maxaddr 100000 addm feth0
	cat >fill.py <<-'EOF'
	import socket
	s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
	s.bind(('vether1', 0))
	for i in range(3000):
	    # Twice: what found no room the first time.
	    for _ in range(2):
	        try:
	            s.send(bytes.fromhex('02000000ffff0200%08x88b5' % i)
	                   + bytes(46))
	            break
	        except OSError:
	            pass
	EOF
	filled()
	{
		# shellcheck disable=SC2086 # words
		coax jexec s1 /usr/bin/python3 fill.py
		[ "$(field bridge0 bridge.addresses)" -ge 3000 ]
	}
	wait_for filled
	run ifconfig bridge0 static feth0 02:00:00:00:01:00
	n=$(field bridge0 bridge.addresses)
	atf_check -o save:addr.out ifconfig bridge0 addr
	[ "$(wc -l <addr.out)" -eq "$n" ] || fail "$(wc -l addr.out) of $n"
	[ "$(cut -d ' ' -f 1 addr.out | sort -u | wc -l)" -eq "$n" ] ||
	    fail "some are there twice"
	atf_check -o save:addr.json ifconfig --json bridge0 addr
	cat >count.py <<-'EOF'
	import json
	[part] = json.load(open('addr.json'))
	print(len({(a['mac'], a['vlan']) for a in part['addresses']}))
	EOF
	[ "$(/usr/bin/python3 count.py)" -eq "$n" ] ||
	    fail "$(head -c 500 addr.json)"
	atf_check -o inline:'02:00:00:00:01:00 Vlan0 feth0 0 flags=1<STATIC>\n' \
	    ifconfig bridge0 saddr
	# By a program, in pages of its own size, or all at once if they are few.
	coax rpc bridge.addresses '{"name":"bridge0","max":10}' >page.out
	[ "$(grep -c '"mac"' page.out)" -eq 10 ] || fail "$(cat page.out)"
	atf_check -o save:all.out coax rpc bridge.addresses '{"name":"bridge0"}'
	[ "$(grep -c '"mac"' all.out)" -eq "$n" ] || fail "not all"
	coaxd_stop
}

atf_test_case moved
moved_head()
{
	about 60 "A station that moves is followed; sticky ones stay"
}
moved_body()
{
	start_cables 2
	coax monitor --json >events.out 2>events.err &
	wait_for 'ifconfig tap99 create; ifconfig tap99 destroy;
	    [ -s events.out ]'
	put 0 $all $a one
	got 2 one
	put 2 $all $a two
	got 0 two
	shows "^$a Vlan0 feth3 " ifconfig bridge0 addr
	[ "$(addr | grep -c $a)" -eq 1 ] || fail "twice"
	wait_for "grep -q '\"moved\"' events.out"
	grep '"moved"' events.out | grep -q $a || fail "$(cat events.out)"
	# By traffic an entry of a sticky port goes nowhere.
	run ifconfig bridge0 flush sticky feth1
	put 0 $all $b three
	got 2 three
	shows "^$b Vlan0 feth1 0 flags=2<STICKY>" ifconfig bridge0 addr
	put 2 $all $b four
	got 0 four
	shows "^$b Vlan0 feth1 0 flags=2<STICKY>" ifconfig bridge0 addr
	run ifconfig bridge0 -sticky feth1 flushall
	atf_check -o empty ifconfig bridge0 addr
	coaxd_stop
}

atf_test_case ageing
ageing_head()
{
	about 60 "An address lives for the timeout after it was last seen"
}
ageing_body()
{
	start_cables 2
	shows 'timeout 1200' ifconfig bridge0
	run ifconfig bridge0 timeout 3
	shows 'timeout 3$' ifconfig bridge0
	# Whatever part of a second it is seen in, the timeout is a whole one.
	for i in 1 2; do
		t=$(now_ms)
		put 0 $all $a "one$i"
		got 2 "one$i"
		seen=$(now_ms)
		atf_check -o match:"^$a Vlan0 feth1 [123] flags=0<>\$" \
		    ifconfig bridge0 addr
		wait_for '! ifconfig bridge0 addr | grep -q "^$a "'
		gone=$(now_ms)
		[ $((gone - t)) -ge 3000 ] || fail "gone in $((gone - t)) ms"
		[ $((gone - seen)) -lt 5500 ] ||
		    fail "it took $((gone - seen)) ms"
	done
	# 0: for ever.
	run ifconfig bridge0 timeout 0
	put 0 $all $a two
	got 2 two
	shows "^$a Vlan0 feth1 " ifconfig bridge0 addr
	coaxd_stop
}

atf_test_case limits
limits_head()
{
	about 60 "maxaddr: flooded, not learned; ifmaxaddr: dropped"
}
limits_body()
{
	start_cables 2
	run ifconfig bridge0 maxaddr 1
	put 0 $all $a one
	put 0 $all $b two
	got 2 one
	got 2 two
	shows "^$a " ifconfig bridge0 addr
	hides "^$b " ifconfig bridge0 addr
	run ifconfig bridge0 maxaddr 2
	put 0 $all $b three
	got 2 three
	shows "^$b " ifconfig bridge0 addr
	run ifconfig bridge0 maxaddr 1
	[ "$(addr | wc -l)" -eq 1 ] || fail "$(addr)"
	run ifconfig bridge0 flushall maxaddr 100 ifmaxaddr feth1 1
	shows 'ifmaxaddr 1 port' ifconfig bridge0
	put 0 $all $a four
	put 0 $all $b five
	put 0 $all $a six
	got 2 six
	got 2 four
	silent 2 five
	shows 'addr-limit' coax drops
	run ifconfig bridge0 ifmaxaddr feth1 0
	put 0 $all $b seven
	got 2 seven
	coaxd_stop
}

atf_test_case member_flags
member_flags_head()
{
	about 60 "private, discover and learn do what they say"
}
member_flags_body()
{
	start_cables 3
	run ifconfig bridge0 private feth1 private feth3
	shows 'member: feth1 flags=943<LEARNING,DISCOVER,PRIVATE,AUTOEDGE,AUTOPTP>' \
	    ifconfig bridge0
	put 0 $all $a one
	got 4 one
	put 4 $all $c two
	got 0 two
	got 2 two
	silent 2 one
	# Also a known unicast.
	put 2 $a $b three
	put 2 $all $b four
	got 4 four
	silent 0 three
	silent 0 four
	run ifconfig bridge0 -private feth1 -private feth3 flushall
	# Unknown unicasts do not go where discover is off.
	run ifconfig bridge0 -discover feth3
	put 0 $c $a five
	put 0 $all $a six
	got 2 six
	got 4 five
	silent 2 five
	run ifconfig bridge0 discover feth3 -learn feth1 flushall
	put 0 $all $a seven
	got 2 seven
	atf_check -o empty ifconfig bridge0 addr
	for w in private -private discover learn sticky edge autoedge ptp \
	    autoptp; do
		refused 'No such file or directory' ifconfig bridge0 $w tap9
	done
	coaxd_stop
}

atf_test_case span_port
span_port_head()
{
	about 60 "A span port gets a copy of all, and gives nothing"
}
span_port_body()
{
	start_cables 3
	run ifconfig bridge0 deletem feth5 span feth5
	shows 'member: feth5 flags=8<SPAN>' ifconfig bridge0
	put 0 $all $a one
	got 2 one
	got 4 one
	put 2 $a $b two
	got 0 two
	got 4 two
	put 4 $all $c three
	put 0 $all $a four
	got 2 four
	silent 2 three
	silent 0 three
	hides $c ifconfig bridge0 addr
	shows 'span-input' coax drops
	refused . ifconfig bridge0 addm feth5
	refused . ifconfig bridge0 span feth1
	run ifconfig bridge0 -span feth5
	put 0 $all $a five
	got 2 five
	put 0 $all $a six
	got 2 six
	silent 4 five
	refused . ifconfig bridge0 -span feth5
	coaxd_stop
}

atf_test_case membership
membership_head()
{
	about 60 "addm and deletem: errors, and traffic that begins and ends"
}
membership_body()
{
	start_switch 2
	pings s1 192.0.2.2
	refused 'BRDGADD vether1: File exists' ifconfig bridge0 addm vether1
	refused 'BRDGADD tap9: ' ifconfig bridge0 addm tap9
	run ifconfig bridge1 create
	refused 'BRDGADD vether1: Device busy' ifconfig bridge1 addm vether1
	refused 'BRDGADD bridge1: Invalid argument' \
	    ifconfig bridge0 addm bridge1
	refused 'BRDGADD bridge0: Invalid argument' \
	    ifconfig bridge0 addm bridge0
	run ifconfig bridge0 deletem vether2
	hides 'member: vether2' ifconfig bridge0
	hides ' vether2 ' ifconfig bridge0 addr
	shows ' vether1 ' ifconfig bridge0 addr
	unpingable s1 192.0.2.2
	refused 'BRDGDEL vether2: No such file' \
	    ifconfig bridge0 deletem vether2
	run ifconfig bridge0 addm vether2
	pings s1 192.0.2.2
	# A member that is destroyed leaves.
	run ifconfig vether2 destroy
	hides 'vether2' ifconfig bridge0
	# A bridge that is destroyed sets its members free.
	run ifconfig bridge0 destroy
	run ifconfig bridge1 addm vether1 up
	shows 'member: vether1' ifconfig bridge1
	coaxd_stop
}

atf_test_case many_members
many_members_head()
{
	about 60 "256 members"
}
many_members_body()
{
	lab_or_here
	coaxd_start
	run ifconfig bridge0 create
	sysctl net.link.host_attach=0 >out.txt 2>&1 || true
	words=
	for i in $(seq 0 255); do
		run ifconfig "tap$i" create up
		words="$words addm tap$i"
	done
	# shellcheck disable=SC2086 # words
	run ifconfig bridge0 $words up
	[ "$(ifconfig bridge0 | grep -c member:)" -eq 256 ] ||
	    fail "not 256 members"
	run ifconfig bridge0 destroy
	coaxd_stop
}

atf_test_case two_bridges
two_bridges_head()
{
	about 60 "Two bridges are two networks, until a wire joins them"
}
two_bridges_body()
{
	start_switch 1
	station s2 2
	run ifconfig bridge1 create addm vether2 up
	[ "$(mac bridge0)" != "$(mac bridge1)" ] || fail "the same address"
	unpingable s1 192.0.2.2
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 up
	run ifconfig bridge0 addm feth0
	run ifconfig bridge1 addm feth1
	pings s1 192.0.2.2
	pings s2 2001:db8::1
	run ifconfig feth0 -peer
	unpingable s1 192.0.2.2
	coaxd_stop
}

atf_test_case generated_address
generated_address_head()
{
	about 30 "A bridge's address stays, and is another with another daemon"
}
# generated SOCKET: the address of bridge0@home and of bridge0 in a vnet.
generated()
{
	export COAX_SOCKET="$PWD/$1.sock"
	coaxd_start
	coax vnet create blue || fail "no vnet"
	ifconfig bridge0 create || fail "no bridge0"
	ifconfig bridge0@blue create || fail "no bridge0 in blue"
	echo "$(mac bridge0) $(mac bridge0@blue)"
	coaxd_stop
}
generated_address_body()
{
	lab_or_here
	[ -s /etc/machine-id ] || atf_skip "this machine has no id"
	unset COAX_LAB
	first=$(generated a)
	atf_check_equal "$first" "$(generated a)"
	other=$(generated b)
	export COAX_LAB=1
	salted=$(generated a)
	n=$(echo "$first $other $salted" | tr ' ' '\n' | sort -u | wc -l)
	atf_check_equal 6 "$n"
	# Unicast, and nobody's range: the last bits of the first octet are 10.
	for mac in $first $other $salted; do
		case $mac in
		?[26ae]:*) ;;
		*) fail "$mac" ;;
		esac
	done
}

atf_test_case host_port
host_port_head()
{
	about 60 "The bridge is an interface of the host at the same time"
}
host_port_body()
{
	start_switch 2
	run ifconfig bridge0 inet 192.0.2.9/24
	run ifconfig bridge0 inet6 2001:db8::9 prefixlen 64
	pings s1 192.0.2.9
	pings s2 2001:db8::9
	pings s1 192.0.2.2
	wait_for 'ping -n -c 1 -W 1 192.0.2.1'
	wait_for 'ping -n -c 1 -W 1 2001:db8::2'
	case $(mac bridge0) in
	?[26ae]:*) ;;
	*) fail "$(mac bridge0) is not locally administered" ;;
	esac
	run ifconfig bridge0 ether 02:00:00:00:00:99
	wait_for 'ip link show bridge0 | grep -q 02:00:00:00:00:99'
	in_vnet s1 ip neighbour flush dev vether1
	pings s1 192.0.2.9
	coaxd_stop
}

atf_test_case addresses_on_members
addresses_on_members_head()
{
	about 60 "Addresses on members beside the bridge's: each answers once"
}
addresses_on_members_body()
{
	start_switch 2
	run ifconfig bridge0 inet 192.0.2.9/24
	for i in 0 1; do
		# Peered, so that there is a carrier.
		run ifconfig feth$i create peer feth1$i up
		run ifconfig feth1$i -host up
		atf_check -o ignore -e ignore ifconfig bridge0 addm feth$i
	done
	atf_check -e ignore ifconfig feth0 inet 192.0.2.10/24
	atf_check -e ignore ifconfig feth1 inet 192.0.2.11/24
	# shellcheck disable=SC2086 # words
	coax jexec s1 $lib_tool capture vether1 >>cap 2>cap.err &
	wait_for 'grep -q ready cap.err'
	us=$(nocolon "$(mac vether1)")
	for n in 9 10 11; do
		in_vnet s1 ip neighbour flush dev vether1
		: >cap
		hex=$(printf 'c00002%02x' $n)
		req=ffffffffffff${us}08060001080006040001${us}c0000201
		# shellcheck disable=SC2086
		coax jexec s1 $lib_tool send vether1 "${req}000000000000$hex"
		wait_for "grep -q '08060001080006040002.*$hex' cap"
		# What was to come has come when a later answer is there.
		pings s1 192.0.2.2
		n_replies=$(grep -c "08060001080006040002.\{12\}$hex" cap)
		[ "$n_replies" -eq 1 ] ||
		    fail "192.0.2.$n: $n_replies replies to one request"
		grep "08060001080006040002.\{12\}$hex" cap | cut -c13-24 >>macs
	done
	# Each with its own address.
	{ for i in bridge0 feth0 feth1; do nocolon "$(mac $i)"; done; } >want
	atf_check -o file:want cat macs
	coaxd_stop
}

atf_test_case tcpdump_on_member
tcpdump_on_member_head()
{
	about 60 "tcpdump on a member's netdev sees passing traffic"
	atf_set require.progs tcpdump
}
tcpdump_on_member_body()
{
	start_switch 2
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 up
	run ifconfig bridge0 deletem vether2 addm feth0
	run ifconfig bridge1 create addm feth1 addm vether2 up
	tcpdump -Z "$(id -un)" -lni feth0 icmp >dump.out 2>dump.err &
	wait_for 'grep -q "listening on feth0" dump.err'
	pings s1 192.0.2.2
	wait_for 'grep -q "192.0.2.1 > 192.0.2.2: ICMP echo request" dump.out'
	wait_for 'grep -q "192.0.2.2 > 192.0.2.1: ICMP echo reply" dump.out'
	coaxd_stop
}

# start_listener: feth1 is a member of bridge0 with a host side, which nobody
# else uses; feth3 is another, and frames are put in by its far end, feth2.
start_listener()
{
	lab
	need_host
	coaxd_start
	run ifconfig bridge0 create up
	for i in 0 2; do
		run ifconfig feth$i create peer feth$((i + 1)) up
		run ifconfig feth$((i + 1)) up
		run ifconfig bridge0 addm feth$((i + 1))
	done
}

# times N TEXT: so often is the frame in 1.cap.
times()
{
	[ "$(grep -c "88b5$(hex "$2")" 1.cap)" -eq "$1" ] ||
	    fail "$2 was not seen $1 times: $(cat 1.cap)"
}

atf_test_case capture_groups
capture_groups_head()
{
	about 60 "A capture on a member sees each group frame, once"
}
capture_groups_body()
{
	start_listener
	capture_start feth1 1.cap -p
	# The daemon has noticed when a unicast for somebody else is there.
	wait_for 'put 2 02:00:00:00:00:0d $a first;
	    grep -q "88b5$(hex first)" 1.cap'
	put 2 $all $a other
	got 1 other
	# The host's own, with another address than the bridge's.
	tool send bridge0 "$(frame $all $b 88b5 raw)"
	got 1 raw
	tool send bridge0 "$(frame $all "$(mac bridge0)" 88b5 own)"
	got 1 own
	tool send feth3 "$(frame $all $c 88b5 member)"
	got 1 member
	put 2 01:00:5e:00:00:05 $a end
	got 1 end
	for i in other raw own member end; do
		times 1 $i
	done
	coaxd_stop
}

atf_test_case capture_in_another_vnet
capture_in_another_vnet_head()
{
	about 60 "So does one on a member whose host side is in another vnet"
}
capture_in_another_vnet_body()
{
	start_listener
	run coax vnet create alice
	run ifconfig feth1 vnet alice
	in_vnet alice ip link set feth1 up
	# shellcheck disable=SC2086 # words
	coax jexec alice $lib_tool capture feth1 -p >1.cap 2>cap.err &
	wait_for 'grep -q ready cap.err'
	# From another port, until the daemon has noticed; from its own wire.
	wait_for 'put 2 $all $a out; grep -q "88b5$(hex out)" 1.cap'
	put 0 $all $b in
	got 1 in
	put 2 $all $a end
	got 1 end
	times 1 in
	times 1 end
	coaxd_stop
}

atf_test_case mtus
mtus_head()
{
	about 60 "The first member defines the MTU; the bridge sets it on all"
}
mtus_body()
{
	lab
	need_host
	coaxd_start
	run ifconfig tap0 create mtu 1400
	run ifconfig tap1 create
	run ifconfig bridge0 create addm tap0
	shows 'mtu 1400' ifconfig bridge0
	run ifconfig bridge0 addm tap1
	shows 'mtu 1400' ifconfig tap1
	run ifconfig bridge0 mtu 2000
	shows 'mtu 2000' ifconfig tap0
	shows 'mtu 2000' ifconfig tap1
	wait_for 'ip link show tap1 | grep -q "mtu 2000"'
	# A feth takes at most 2048: all or nothing.
	run ifconfig feth0 create
	run ifconfig bridge0 addm feth0
	refused 'Invalid argument' ifconfig bridge0 mtu 9000
	for i in bridge0 tap0 tap1 feth0; do
		shows 'mtu 2000' ifconfig $i
	done
	refused 'Operation not supported' ifconfig tap0 mtu 2000
	refused 'Invalid argument' ifconfig bridge0 mtu 71
	run ifconfig bridge0 deletem tap0
	run ifconfig tap0 mtu 1500
	coaxd_stop
}

atf_test_case inherited_address
inherited_address_head()
{
	about 30 "inherit_mac: the bridge has its first member's address"
}
inherited_address_body()
{
	lab_or_here
	coaxd_start
	atf_check -o inline:'net.link.bridge.inherit_mac: 0\n' \
	    sysctl net.link.bridge.inherit_mac
	run ifconfig tap0 create
	run ifconfig tap1 create
	run ifconfig bridge0 create addm tap0
	[ "$(mac bridge0)" != "$(mac tap0)" ] || fail "inherited by default"
	run ifconfig bridge0 deletem tap0
	atf_check -o ignore sysctl net.link.bridge.inherit_mac=1
	own=$(mac bridge0)
	run ifconfig bridge0 addm tap0
	[ "$(mac bridge0)" = "$(mac tap0)" ] || fail "not inherited"
	run ifconfig bridge0 addm tap1 deletem tap0
	[ "$(mac bridge0)" = "$(mac tap1)" ] || fail "not the next one's"
	run ifconfig bridge0 deletem tap1
	[ "$(mac bridge0)" = "$own" ] || fail "not its own again"
	coaxd_stop
}

atf_test_case monitor_mode
monitor_mode_head()
{
	about 30 "In monitor mode frames are seen, counted and dropped"
}
monitor_mode_body()
{
	start_cables 2
	run ifconfig bridge0 monitor
	put 0 $all $a one
	wait_for '[ "$(field bridge0 counters.ipackets)" -eq 1 ]'
	wait_for 'coax drops bridge0 | grep -q "monitor  *1 "'
	run ifconfig bridge0 -monitor
	put 0 $all $a two
	got 2 two
	silent 2 one
	coaxd_stop
}

atf_test_case loop
loop_head()
{
	about 60 "A loop without spanning tree leaves the rest alive"
}
loop_body()
{
	start_switch 2
	# Two other bridges, two wires between them.
	for i in 0 2; do
		run ifconfig feth$i create peer feth$((i + 1)) -host up
		run ifconfig feth$((i + 1)) -host up
	done
	run ifconfig bridge1 create -host addm feth0 addm feth2 up
	run ifconfig bridge2 create -host addm feth1 addm feth3 up
	run ifconfig feth4 create peer feth5 up
	run ifconfig feth5 -host up
	run ifconfig bridge1 addm feth5
	put 4 $all $a storm
	before=$(field bridge2 counters.ipackets)
	wait_for '[ "$(field bridge2 counters.ipackets)" -gt '$((before + 9999))' ]'
	tool rpc_responsive 1 >worst.out 2>&1 || fail "$(cat worst.out)"
	pings s1 192.0.2.2
	# It ends with the loop.
	run ifconfig feth0 -peer
	wait_for 'a=$(field bridge2 counters.ipackets) &&
	    b=$(field bridge2 counters.ipackets) && [ "$a" = "$b" ]'
	coaxd_stop
}

atf_test_case loop_guard
loop_guard_head()
{
	about 60 "Without spanning tree: a loop dies out, a storm is limited"
}
loop_guard_body()
{
	start_switch 2
	coax monitor --json >events.out 2>events.err &
	wait_for 'ifconfig tap99 create; ifconfig tap99 destroy;
	    [ -s events.out ]'
	run ifconfig bridge0 flapdamp 4 hold 600
	shows 'flapdamp 4 hold 600$' ifconfig bridge0
	pings s1 192.0.2.2
	run ifconfig feth0 create peer feth1 -host up
	run ifconfig feth1 -host up
	run ifconfig bridge0 addm feth0 addm feth1
	# Broadcasts go round, some times; then both stations are held.
	run coax jexec s1 ip neigh flush all
	pings s1 192.0.2.2
	pings s2 192.0.2.1
	wait_for '[ "$(dropped feth0 mac-flap)" -gt 0 ]'
	wait_for 'a=$(field bridge0 counters.ipackets) &&
	    b=$(field bridge0 counters.ipackets) && [ "$a" = "$b" ]'
	wait_for 'grep -q "held on vether[12] for 600 seconds" events.out'
	run ifconfig bridge0 deletem feth0 deletem feth1 -flapdamp
	pings s1 192.0.2.2

	run ifconfig bridge0 storm vether1 broadcast 20
	shows 'storm broadcast 20$' ifconfig bridge0
	# Nobody answers.
	coax jexec s1 ping -b -q -c 300 -i 0.002 -W 1 192.0.2.255 >/dev/null 2>&1
	[ "$(dropped vether1 storm-broadcast)" -gt 100 ] ||
	    fail "$(coax drops)"
	wait_for 'grep -q "storm on vether1: more than 20 broadcasts" events.out'
	pings s1 192.0.2.2
	coaxd_stop
}

atf_test_case trace
trace_head()
{
	about 60 "What would happen to a frame is said, and does not happen"
}
trace_body()
{
	start_cables 3
	run ifconfig bridge0 private feth3 private feth5
	put 2 $all $b first
	got 0 first
	before=$(coax rpc iface.get '{"name":"bridge0"}')
	shows "send *feth3 *out of feth3, untagged" \
	    coax trace feth1 icmp 192.0.2.1 to 192.0.2.2 src $a dst $b
	hides feth5 coax trace feth1 icmp 192.0.2.1 to 192.0.2.2 dst $b
	shows "skip *feth5 *not out of feth5: both are private" \
	    coax trace feth3 arp who-has 192.0.2.1 tell 192.0.2.2
	shows "host *bridge0 *to the host on bridge0" \
	    coax trace feth3 "$(frame $all $a 88b5 text)"
	shows '"reason": "same-port"' coax trace --json feth3 \
	    "$(frame $b $a 88b5 text)"
	# A file, two frames.
	/usr/bin/python3 - <<-'EOF'
	import struct
	head = struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
	with open('two.pcap', 'wb') as f:
	    f.write(head)
	    for dst in 'ffffffffffff', '02000000000b':
	        data = bytes.fromhex(dst + '02000000000a' + '88b5') + bytes(46)
	        f.write(struct.pack('<IIII', 0, 0, 60, 60) + data)
	EOF
	atf_check -o save:trace.out coax trace feth1 two.pcap
	[ "$(grep -c '^frame [12]: ' trace.out)" -eq 2 ] || fail "$(cat trace.out)"
	[ "$(grep -c 'send *feth[35] ' trace.out)" -eq 3 ] ||
	    fail "$(cat trace.out)"
	atf_check -o file:trace.out coax trace -r - feth1 <two.pcap
	atf_check -o file:trace.out coax trace feth1 - <two.pcap
	head -c 90 two.pcap >half.pcap
	atf_check -s exit:1 -e match:damaged -e ignore -o ignore \
	    coax trace feth1 half.pcap
	refused 'neither a pcap nor a pcapng file' coax trace feth1 -r trace.out
	refused 'No such file' coax trace feth1 ./none.pcap
	# Nothing has come of all that.
	for i in 0 2 4; do
		silent $i "text"
	done
	hides $a ifconfig bridge0 addr
	after=$(coax rpc iface.get '{"name":"bridge0"}')
	[ "$before" = "$after" ] || fail "$before is now $after"
	# What it said is what happens.
	put 0 $b $a really
	got 2 really
	silent 4 really
	coaxd_stop
}

atf_test_case no_autoconfiguration
no_autoconfiguration_head()
{
	about 30 "No address comes by itself to a bridge or its members"
}
no_autoconfiguration_body()
{
	start_switch 1
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 -host up
	run ifconfig bridge0 addm feth0
	capture_start feth0 cap
	# A router advertisement, with a prefix to make addresses of.
	# shellcheck disable=SC2086 # words
	run coax jexec s1 $lib_tool advertise vether1 2001:db8:1:: \
	    "$(mac vether1)"
	# It has come (and with it what came before).
	marked 86dd6 cap
	# shellcheck disable=SC2086
	run coax jexec s1 $lib_tool send vether1 \
	    "$(frame $all $a 88b5 later)"
	marked "88b5$(hex later)" cap
	for i in bridge0 feth0; do
		hides inet6 ifconfig $i
		[ -z "$(ip -6 address show dev $i)" ] ||
		    fail "$(ip -6 address show dev $i)"
	done
	coaxd_stop
}

atf_test_case ipv6
ipv6_head()
{
	about 60 "IPv6 of a bridge where it is asked for, and its members' scopes"
}
ipv6_body()
{
	start_switch 1
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 up
	run ifconfig feth1 inet6 fe80::1:1/64
	run ifconfig feth1 inet6 2001:db8:1::1/64
	run ifconfig feth1 inet 198.51.100.1/24
	# A bridge without a link-local address leaves its members theirs.
	run ifconfig bridge0 addm feth1
	shows 2001:db8:1::1 ifconfig feth1
	run ifconfig bridge0 deletem feth1
	run ifconfig bridge0 inet6 auto_linklocal
	wait_for 'ifconfig bridge0 | grep -q "inet6 fe80::"'
	shows 'nd6 options=21<PERFORMNUD,AUTO_LINKLOCAL>$' ifconfig bridge0
	atf_check -o ignore sysctl net.link.bridge.allow_llz_overlap=1
	run ifconfig bridge0 addm feth1
	shows 2001:db8:1::1 ifconfig feth1
	run ifconfig bridge0 deletem feth1
	atf_check -o ignore sysctl net.link.bridge.allow_llz_overlap=0
	run ifconfig bridge0 addm feth1
	hides inet6 ifconfig feth1
	shows 198.51.100.1 ifconfig feth1
	wait_for 'grep -q "bridge0: IPv6 addresses on feth1 have been removed \
before adding it as a member" coaxd.err'
	# vether1 has a host of its own.
	shows 2001:db8::1 coax jexec s1 ip -6 address show dev vether1
	# A router's word counts when it is wanted.
	run ifconfig bridge0 inet6 accept_rtadv no_radr no_dad
	# shellcheck disable=SC2086 # words
	run coax jexec s1 $lib_tool advertise vether1 2001:db8:2:: \
	    "$(mac vether1)"
	wait_for 'ifconfig bridge0 | grep -q "inet6 2001:db8:2:"'
	[ -z "$(ip -6 route show default dev bridge0)" ] ||
	    fail "$(ip -6 route show)"
	hides inet6 ifconfig feth1
	# In another vnet the same is set again.
	run coax vnet create s9
	run ifconfig bridge0 vnet s9
	wait_for 'coax jexec s9 ip -6 address show dev bridge0 |
	    grep -q "inet6 fe80::"'
	atf_check -o inline:'2\n0\n' coax jexec s9 cat \
	    /proc/sys/net/ipv6/conf/bridge0/accept_ra \
	    /proc/sys/net/ipv6/conf/bridge0/accept_ra_defrtr
	run ifconfig bridge0@s9 inet6 ifdisabled
	wait_for '! coax jexec s9 ip -6 address show dev bridge0 |
	    grep -q inet6'
	run ifconfig bridge0@s9 -vnet
	run ifconfig bridge0 inet6 -ifdisabled -accept_rtadv
	wait_for 'ifconfig bridge0 | grep -q "inet6 fe80::"'
	[ "$(cat /proc/sys/net/ipv6/conf/bridge0/accept_ra)" = 0 ] ||
	    fail "advice is taken"
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case three_stations
	atf_add_test_case selective
	atf_add_test_case address_table
	atf_add_test_case many_addresses
	atf_add_test_case moved
	atf_add_test_case ageing
	atf_add_test_case limits
	atf_add_test_case member_flags
	atf_add_test_case span_port
	atf_add_test_case membership
	atf_add_test_case many_members
	atf_add_test_case two_bridges
	atf_add_test_case generated_address
	atf_add_test_case host_port
	atf_add_test_case addresses_on_members
	atf_add_test_case tcpdump_on_member
	atf_add_test_case capture_groups
	atf_add_test_case capture_in_another_vnet
	atf_add_test_case mtus
	atf_add_test_case inherited_address
	atf_add_test_case monitor_mode
	atf_add_test_case loop
	atf_add_test_case loop_guard
	atf_add_test_case trace
	atf_add_test_case no_autoconfiguration
	atf_add_test_case ipv6
}
