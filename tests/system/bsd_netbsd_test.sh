#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# What NetBSD's tests of tap, vether and bridge ask, in coax's own words: one
# case for each of theirs. Their nodes are vnets here, their cables epairs; the
# node in the middle, with the bridge, is the daemon's own.
#
# shellcheck disable=SC2016,SC2034,SC2119,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

start()
{
	lab
	need_host
	coaxd_start
}

# address VNET IF N: 192.0.2.N and 2001:db8::N on an interface; VNET "" is ours.
address()
{
	set -- "$1" "$2" "192.0.2.$3/24" "2001:db8::$3/64"
	lib_in=${1:+"coax jexec $1"}
	# shellcheck disable=SC2086
	{
		run $lib_in ifconfig "$2" inet "$3" up
		run $lib_in ifconfig "$2" inet6 no_dad "$4"
	}
}

# node NAME N ADDRESS: a vnet at the far end of epairN.
node()
{
	atf_check -o inline:"epair${2}a\n" ifconfig "epair$2" create up
	run coax vnet create "$1"
	run ifconfig "epair${2}b" vnet "$1"
	address "$1" "epair${2}b" "$3"
}

# reaches VNET N, misses VNET N: both families.
reaches()
{
	pings "$1" "192.0.2.$2"
	pings "$1" "2001:db8::$2"
}
misses()
{
	unpingable "$1" "192.0.2.$2"
	unpingable "$1" "2001:db8::$2"
}

# middle: node1 - epair0 - bridge0 - epair1 - node3
middle()
{
	node node1 0 1
	node node3 1 3
	run ifconfig bridge0 create up
	run ifconfig bridge0 addm epair0a addm epair1a
	shows '^	member: epair0a flags=143<LEARNING,DISCOVER,' \
	    ifconfig bridge0
	shows '^	member: epair1a flags=143<LEARNING,DISCOVER,' \
	    ifconfig bridge0
}

# lives KIND: created, given addresses, up, down, destroyed, and made again.
lives()
{
	for lib_n in 1 2; do
		run ifconfig "${1}0" create
		run ifconfig "${1}0" inet 192.0.2.1/24
		run ifconfig "${1}0" inet6 2001:db8::1/64 up
		shows 'inet 192.0.2.1 netmask 0xffffff00' ifconfig "${1}0"
		shows 'inet6 2001:db8::1 prefixlen 64' ifconfig "${1}0"
		run ifconfig "${1}0" inet 192.0.2.1 delete
		hides 192.0.2.1 ifconfig "${1}0"
		run ifconfig "${1}0" down
		run ifconfig "${1}0" destroy
		refused 'does not exist' ifconfig "${1}0"
	done
}

atf_test_case create_destroy
create_destroy_head()
{
	about 60 "tap, vether, bridge: from create to destroy, twice"
}
create_destroy_body()
{
	start
	lives tap
	lives vether
	lives bridge
	coaxd_stop
}

# alone KIND: an address on an interface that is connected to nothing.
alone()
{
	node remote 0 1
	address '' epair0a 2
	reaches remote 2
	run ifconfig epair0a inet 192.0.2.2 delete
	run ip -6 address del 2001:db8::2/64 dev epair0a
	run ifconfig "${1}0" create
	address '' "${1}0" 2
	misses remote 2
}

atf_test_case tap_stand_alone
tap_stand_alone_head()
{
	about 60 "Nobody reaches the address of a lone tap"
}
tap_stand_alone_body()
{
	start
	alone tap
	coaxd_stop
}

atf_test_case vether_stand_alone
vether_stand_alone_head()
{
	about 60 "Nobody reaches the address of a lone vether"
}
vether_stand_alone_body()
{
	start
	alone vether
	coaxd_stop
}

# bridged KIND: bridge0 = epair0a + KIND0, both with addresses.
bridged()
{
	node remote 0 1
	address '' epair0a 2
	run ifconfig "${1}0" create
	address '' "${1}0" 3
	run ifconfig bridge0 create up
	run ifconfig bridge0 addm epair0a addm "${1}0"
	reaches remote 2
}

atf_test_case tap_bridged
tap_bridged_head()
{
	about 60 "A tap on a bridge is the host's port while somebody has it open"
}
tap_bridged_body()
{
	start
	bridged tap
	misses remote 3
	tap_hold tap0
	reaches remote 3
	reaches remote 2
	tap_release
	wait_for 'ifconfig tap0 | grep -q "status: no carrier"'
	misses remote 3
	coaxd_stop
}

atf_test_case vether_bridged
vether_bridged_head()
{
	about 60 "A vether on a bridge is the host's port, opened by nobody"
}
vether_bridged_body()
{
	start
	bridged vether
	reaches remote 3
	coaxd_stop
}

atf_test_case bridge
bridge_head()
{
	about 60 "Two nodes reach each other through the bridge between them"
}
bridge_body()
{
	start
	middle
	reaches node1 3
	reaches node3 1
	run ifconfig bridge0 deletem epair0a deletem epair1a
	hides 'member:' ifconfig bridge0
	misses node1 3
	misses node3 1
	coaxd_stop
}

atf_test_case bridge_member
bridge_member_head()
{
	about 60 "Addresses on both members are reached from both sides"
}
bridge_member_body()
{
	start
	middle
	address '' epair0a 2
	address '' epair1a 4
	for n in 2 4; do
		reaches node1 $n
		reaches node3 $n
	done
	reaches node1 3
	reaches node3 1
	coaxd_stop
}

# known MAC IF: the table has it, behind that member.
known()
{
	wait_for "ifconfig bridge0 addr | grep -q '^$1 Vlan0 $2 '"
}

unknown()
{
	hides "$1" ifconfig bridge0 addr
}

# silent: the nodes of a table say nothing until they are asked: no IPv6, whose
# groups a kernel reports when it likes.
silent()
{
	hush node1 epair0b
	hush node3 epair1b
	run ifconfig bridge0 flush
}

# table: the bridge in the middle; $mac1 and $mac3 are the nodes' addresses.
table()
{
	middle
	mac1=$(mac epair0b@node1)
	mac3=$(mac epair1b@node3)
	run ifconfig bridge0 flush
}

atf_test_case rtable_basic
rtable_basic_head()
{
	about 60 "Addresses are learned from what nodes send; deladdr forgets"
}
rtable_basic_body()
{
	start
	table
	silent
	unknown "$mac1"
	unknown "$mac3"
	pings node1 192.0.2.3
	known "$mac1" epair0a
	known "$mac3" epair1a
	run ifconfig bridge0 deladdr "$mac1"
	unknown "$mac1"
	run ifconfig bridge0 deladdr "$mac3"
	unknown "$mac3"
	coaxd_stop
}

atf_test_case rtable_flush
rtable_flush_head()
{
	about 60 "flush forgets what was learned"
}
rtable_flush_body()
{
	start
	table
	silent
	pings node1 192.0.2.3
	known "$mac1" epair0a
	known "$mac3" epair1a
	run ifconfig bridge0 flush
	unknown "$mac1"
	unknown "$mac3"
	coaxd_stop
}

atf_test_case rtable_timeout
rtable_timeout_head()
{
	about 60 "timeout is shown, and addresses do not outlive it"
}
rtable_timeout_body()
{
	start
	table
	shows ' timeout 1200$' ifconfig bridge0
	run ifconfig bridge0 timeout 2
	shows ' timeout 2$' ifconfig bridge0
	pings node1 192.0.2.3
	known "$mac1" epair0a
	# Nobody speaks any more.
	run ifconfig epair0a down
	run ifconfig epair1a down
	wait_for "! ifconfig bridge0 addr | grep -q '^$mac1 '"
	coaxd_stop
}

atf_test_case rtable_maxaddr
rtable_maxaddr_head()
{
	about 60 "maxaddr: the table shrinks to it, and grows again"
}
rtable_maxaddr_body()
{
	start
	table
	shows ' maxaddr 2000 ' ifconfig bridge0
	pings node1 192.0.2.3
	known "$mac1" epair0a
	known "$mac3" epair1a
	run ifconfig bridge0 maxaddr 1
	shows ' maxaddr 1 ' ifconfig bridge0
	atf_check -o inline:'1\n' -x 'ifconfig bridge0 addr | wc -l'
	# A full table: what is not in it is flooded.
	reaches node1 3
	atf_check -o inline:'1\n' -x 'ifconfig bridge0 addr | wc -l'
	run ifconfig bridge0 maxaddr 2
	pings node1 192.0.2.3
	wait_for '[ "$(ifconfig bridge0 addr | wc -l)" -eq 2 ]'
	coaxd_stop
}

atf_test_case rtable_delete_member
rtable_delete_member_head()
{
	about 60 "A member that leaves takes its addresses with it, no others"
}
rtable_delete_member_body()
{
	start
	table
	# Two more stations behind each: addresses on the nodes' cards.
	for n in 1 3; do
		for i in 5 6; do
			# shellcheck disable=SC2086
			run coax jexec node$n $lib_tool send "epair$((n / 2))b" \
			    "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:0$n:0$i 88b5)"
		done
	done
	pings node1 192.0.2.3
	known "$mac1" epair0a
	known "$mac3" epair1a
	for i in 5 6; do
		known 02:00:00:00:01:0$i epair0a
		known 02:00:00:00:03:0$i epair1a
	done
	run ifconfig bridge0 deletem epair0a
	for m in "$mac1" 02:00:00:00:01:05 02:00:00:00:01:06; do
		unknown "$m"
	done
	for m in "$mac3" 02:00:00:00:03:05 02:00:00:00:03:06; do
		known "$m" epair1a
	done
	run ifconfig bridge0 deletem epair1a
	atf_check -o empty ifconfig bridge0 addr
	coaxd_stop
}

atf_test_case brconfig
brconfig_head()
{
	about 60 "brconfig: NetBSD's words for all that, by its own name"
}
brconfig_body()
{
	start
	node node1 0 1
	node node3 1 3
	run ifconfig bridge0 create
	run brconfig bridge0 add epair0a add epair1a up
	shows '^bridge0: flags=41<UP,RUNNING>$' brconfig bridge0
	shows '^		epair0a flags=3<LEARNING,DISCOVER>$' brconfig bridge0
	shows '^			port [12] priority 128$' brconfig bridge0
	pings node1 192.0.2.3
	mac1=$(in_vnet node1 cat /sys/class/net/epair0b/address)
	shows "^		$mac1 epair0a 1[12][0-9]* flags=0<>\$" brconfig bridge0
	shows "^	$mac1 epair0a " brconfig bridge0 addr
	run brconfig bridge0 deladdr "$mac1"
	run brconfig bridge0 timeout 5 maxaddr 100
	shows '^	Address cache .max cache: 100, timeout: 5.:$' \
	    brconfig bridge0
	run brconfig bridge0 static epair0a "$mac1"
	shows "^	$mac1 epair0a 0 flags=1<STATIC>\$" coax brconfig bridge0 addr
	run brconfig bridge0 stp epair0a
	wait_for "brconfig bridge0 | grep -q 'path cost 2000 forwarding'"
	run brconfig bridge0 -stp epair0a delete epair1a flushall
	unpingable node1 192.0.2.3
	shows '^bridge0: flags=41' brconfig -a
	# More addresses than fit an answer come page by page.
	{
		printf 'ifconfig_bridge0="maxaddr 10000'
		for i in $(seq 10 34); do
			seq -f " static epair0a 02:00:00:00:$i:%02.0f" 0 99
		done | tr -d '\n'
		echo '"'
	} >rc.conf
	atf_check -o ignore coax apply rc.conf
	[ "$(brconfig bridge0 addr | grep '	02:00:00:00:' | sort -u |
	    wc -l)" -eq 2500 ] || fail "not all"
	refused 'add nosuch: No such file' brconfig bridge0 add nosuch
	refused 'epair0a is not a bridge' brconfig epair0a
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case create_destroy
	atf_add_test_case tap_stand_alone
	atf_add_test_case vether_stand_alone
	atf_add_test_case tap_bridged
	atf_add_test_case vether_bridged
	atf_add_test_case bridge
	atf_add_test_case bridge_member
	atf_add_test_case rtable_basic
	atf_add_test_case rtable_flush
	atf_add_test_case rtable_timeout
	atf_add_test_case rtable_maxaddr
	atf_add_test_case rtable_delete_member
	atf_add_test_case brconfig
}
