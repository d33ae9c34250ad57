#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# What FreeBSD's tests of if_bridge(4) ask, asked again with the commands that
# they use (jail, jexec, epair, BSD's ping): one case for each of theirs. Those
# of spanning tree are in stp_test.sh.
#
# Hosts are jails with the b end of an epair, whose a end is a member of a
# bridge: "port N" and "host NAME N ADDRESS" below.
#
# shellcheck disable=SC2016,SC2034,SC2119,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

start()
{
	lab
	need_host
	PATH=$COAX_BUILD/bsd-env:$PATH
	coaxd_start
	# As coax bsd-env has it.
	atf_check -o ignore sysctl net.link.host_retrans=200
}

# created NAME WORD ...: ifconfig WORD ... prints NAME and nothing else.
created()
{
	lib_name=$1
	shift
	atf_check -o inline:"$lib_name\n" ifconfig "$@"
}

# jailed NAME IF ...: a jail with these interfaces.
jailed()
{
	lib_jail=$1
	shift
	for lib_i; do
		set -- "$@" "vnet.interface=$lib_i"
		shift
	done
	run jail -c name="$lib_jail" persist vnet "$@"
}

# host NAME N [ADDRESS]: epairN, its b end in a jail, both ends up.
host()
{
	created "epair${2}a" "epair$2" create up
	jailed "$1" "epair${2}b"
	if [ -n "${3-}" ]; then
		run jexec "$1" ifconfig "epair${2}b" "$3/24" up
	else
		run jexec "$1" ifconfig "epair${2}b" up
	fi
}

# two: two hosts with addresses on bridge0.
two()
{
	host one 0 192.0.2.1
	host two 1 192.0.2.2
	run ifconfig bridge0 create up
	run ifconfig bridge0 addm epair0a addm epair1a
}

# tagged_hosts: the same, not members yet, their addresses behind tags.
tagged_hosts()
{
	for lib_h in 'one 0 192.0.2.1' 'two 1 192.0.2.2'; do
		# shellcheck disable=SC2086
		set -- $lib_h
		host "$1" "$2"
		run jexec "$1" ifconfig "epair${2}b.20" create "$3/24" up
	done
}

# talk, silent: do the two hosts reach each other? Not at once, perhaps; nothing
# comes back, and no error is printed.
talk()
{
	wait_for 'jexec one ping -o -i 0.1 -t 1 192.0.2.2'
	wait_for 'jexec two ping -o -i 0.1 -t 1 192.0.2.1'
}
silent()
{
	for lib_h in 'one 192.0.2.2' 'two 192.0.2.1'; do
		# shellcheck disable=SC2086
		atf_check -s exit:2 -o ignore -e empty \
		    jexec ${lib_h% *} ping -c 3 -i 0.1 -W 300 ${lib_h#* }
	done
}

atf_test_case unicast
unicast_head()
{
	about 60 "Two jails on a bridge reach each other"
}
unicast_body()
{
	start
	two
	talk
	# And in the time that theirs gives them.
	for h in 'one 192.0.2.2' 'two 192.0.2.1'; do
		atf_check -o match:' 0.0% packet loss' \
		    jexec "${h% *}" ping -c 3 -i 0.1 -t 5 "${h#* }"
	done
	coaxd_stop
}

# static_entry VLAN [vlan ID]
static_entry()
{
	lib_shown=$1
	shift
	refused 'BRDGSADDR: No such file or directory' jexec one \
	    ifconfig bridge0 static epair0b 00:01:02:03:04:05 "$@"
	refused 'invalid address: 00:01:02:03:04' jexec one \
	    ifconfig bridge0 static epair0a 00:01:02:03:04 "$@"
	run jexec one \
	    ifconfig bridge0 static epair0a 00:01:02:03:04:05 "$@"
	shows "^00:01:02:03:04:05 $lib_shown epair0a 0 flags=1<STATIC>\$" \
	    jexec one ifconfig bridge0 addr
	refused 'invalid address' \
	    jexec one ifconfig bridge0 deladdr 00:01:02:03:04 "$@"
	refused 'BRDGDADDR: No such file or directory' \
	    jexec one ifconfig bridge0 deladdr 00:01:02:03:04:06 "$@"
}

atf_test_case static_address
static_address_head()
{
	about 60 "Static addresses of a bridge in a jail, with and without VLAN"
}
static_address_body()
{
	start
	created epair0a epair create
	created bridge0 bridge create
	jailed one bridge0 epair0a
	run ifconfig epair0b up
	run jexec one ifconfig bridge0 up
	run jexec one ifconfig epair0a up
	run jexec one ifconfig bridge0 addm epair0a
	static_entry Vlan0
	run jexec one ifconfig bridge0 deladdr 00:01:02:03:04:05
	refused 'invalid vlan id: 5000' jexec one ifconfig bridge0 \
	    static epair0a 00:01:02:03:04:05 vlan 5000
	static_entry Vlan10 vlan 10
	refused 'No such file or directory' jexec one \
	    ifconfig bridge0 deladdr 00:01:02:03:04:05 vlan 20
	run jexec one ifconfig bridge0 deladdr 00:01:02:03:04:05 vlan 10
	atf_check -o empty jexec one ifconfig bridge0 addr
	coaxd_stop
}

# probe SOURCE TEXT: a frame for all, out of epair0b.
probe()
{
	# shellcheck disable=SC2086
	run $lib_tool send epair0b \
	    "$(frame ff:ff:ff:ff:ff:ff "$1" 88b5 "$2")"
}

# hex TEXT
hex()
{
	printf '%s' "$1" | od -An -tx1 | tr -d ' \n'
}

atf_test_case span
span_head()
{
	about 60 "What enters a bridge in a jail is seen behind its span port"
}
span_body()
{
	start
	created epair0a epair create
	created epair1a epair create
	created bridge0 bridge create
	jailed one bridge0 epair0a epair1a
	run ifconfig epair0b up
	run ifconfig epair1b up
	run jexec one ifconfig bridge0 up
	run jexec one ifconfig epair0a up
	run jexec one ifconfig epair1a up
	run jexec one ifconfig bridge0 addm epair0a span epair1a
	shows '^	member: epair1a flags=8<SPAN>$' jexec one ifconfig bridge0
	run jexec one ifconfig bridge0 192.0.2.1/24
	capture_start epair1b cap
	probe 02:00:00:00:00:05 first
	marked "$(hex first)" cap
	run jexec one ifconfig bridge0 -span epair1a
	probe 02:00:00:00:00:06 second
	# It has been through when its sender is known.
	wait_for 'jexec one ifconfig bridge0 addr | grep -q 02:00:00:00:00:06'
	run jexec one ifconfig bridge0 span epair1a
	probe 02:00:00:00:00:05 third
	marked "$(hex third)" cap
	atf_check -s exit:1 -o empty grep -q "$(hex second)" cap
	kill "$capture_pid"
	coaxd_stop
}

atf_test_case inherit_mac
inherit_mac_head()
{
	about 60 "inherit_mac, set in the jail that a bridge was moved to"
}
inherit_mac_body()
{
	start
	created bridge0 bridge create
	created epair0a epair create
	jailed one bridge0 epair0a
	atf_check -o inline:'net.link.bridge.inherit_mac: 0 -> 1\n' \
	    jexec one sysctl net.link.bridge.inherit_mac=1
	atf_check -o inline:'0\n' sysctl -n net.link.bridge.inherit_mac
	run jexec one ifconfig bridge0 192.0.0.1/24 up
	run jexec one ifconfig bridge0 addm epair0a
	shows "ether $(mac epair0a)\$" jexec one ifconfig bridge0
	coaxd_stop
}

atf_test_case destroyed_with_members
destroyed_with_members_head()
{
	about 60 "A bridge with members and addresses can be destroyed"
}
destroyed_with_members_body()
{
	start
	created bridge0 bridge create
	created epair0a epair create
	run ifconfig bridge0 192.0.2.1/24 up
	run ifconfig epair0a up
	run ifconfig bridge0 addm epair0a
	run ifconfig bridge0 destroy
	refused 'bridge0 does not exist' ifconfig bridge0
	# Its member is free again.
	created bridge0 bridge create
	run ifconfig bridge0 addm epair0a
	coaxd_stop
}

atf_test_case same_names
same_names_head()
{
	about 60 "bridge0 of two jails: two addresses, and they talk"
}
same_names_body()
{
	start
	created epair0a epair create
	created bridge0 bridge create
	jailed one epair0a
	jailed two epair0b
	for h in 'one a 1' 'two b 2'; do
		# shellcheck disable=SC2086
		set -- $h
		created bridge0 -j "$1" bridge create
		run jexec "$1" ifconfig bridge0 "192.0.2.$3/24" up \
		    addm "epair0$2"
		run jexec "$1" ifconfig "epair0$2" up
	done
	[ "$(jexec one ifconfig bridge0 | grep ether)" != \
	    "$(jexec two ifconfig bridge0 | grep ether)" ] ||
	    fail "one address for two bridges"
	talk
	coaxd_stop
}

atf_test_case gif
gif_head()
{
	about 60 "gif as a member: tunnel, sizes, addresses on it"
}
gif_body()
{
	start
	kldload -n -q if_gif || atf_skip "there are no gif interfaces"
	created epair0a epair create
	jailed one epair0a
	jailed two epair0b
	for h in 'one a 1 2' 'two b 2 1'; do
		# shellcheck disable=SC2086
		set -- $h
		atf_check -o ignore jexec "$1" \
		    sysctl net.link.gif.max_nesting=2
		run jexec "$1" ifconfig "epair0$2" "192.0.2.$3/24" up
		created gif0 -j "$1" gif create
		run jexec "$1" ifconfig gif0 tunnel \
		    "192.0.2.$3" "192.0.2.$4" up
		created bridge0 -j "$1" bridge create
		run jexec "$1" ifconfig bridge0 "198.51.100.$3/24" up
		run jexec "$1" ifconfig bridge0 addm gif0
	done
	wait_for 'jexec one ping -o -t 1 198.51.100.2'
	for size in 56 1200 2000; do
		atf_check -o ignore jexec one ping -c 1 -s $size 198.51.100.2
	done
	run jexec one ifconfig epair0a mtu 1000
	run jexec two ifconfig epair0b mtu 1000
	for size in 1200 2000; do
		atf_check -o ignore jexec one ping -c 1 -s $size 198.51.100.2
	done
	# Members of this kind may have addresses, whatever member_ifaddrs is.
	for value in 1 0; do
		atf_check -o ignore jexec one \
		    sysctl net.link.bridge.member_ifaddrs=$value
		run jexec one ifconfig gif0 192.168.0.224/24 192.168.169.254
		run jexec one ifconfig bridge0 deletem gif0
		run jexec one ifconfig bridge0 addm gif0
	done
	coaxd_stop
}

# mtu_is N IF ...: as a script reads it.
mtu_is()
{
	lib_mtu=$1
	shift
	for lib_i; do
		atf_check -o inline:"$lib_mtu\n" -x \
		    "ifconfig $lib_i | awk '\$5 == \"mtu\" { print \$6 }'"
		atf_check -o inline:"$lib_mtu\n" -x \
		    "ifconfig $lib_i ether | awk '\$5 == \"mtu\" { print \$6 }'"
	done
}

atf_test_case mtu
mtu_head()
{
	about 60 "The bridge sets its members' MTU, on all or on none"
}
mtu_body()
{
	start
	created epair0a epair create
	created bridge0 bridge create
	run ifconfig feth0 create mtu 1400 # takes 2048 at most
	run ifconfig bridge0 addm epair0a
	run ifconfig bridge0 addm feth0
	mtu_is 1500 bridge0 feth0 epair0a
	run ifconfig bridge0 mtu 2000
	mtu_is 2000 bridge0 feth0 epair0a
	refused 'Invalid argument' ifconfig bridge0 mtu 9000
	mtu_is 2000 bridge0 feth0 epair0a
	refused 'Operation not supported' ifconfig epair0a mtu 1900
	mtu_is 2000 epair0a
	created epair1a epair create
	mtu_is 1500 epair1a
	run ifconfig bridge0 addm epair1a
	mtu_is 2000 bridge0 feth0 epair0a epair1a
	coaxd_stop
}

atf_test_case vlan_of_an_address
vlan_of_an_address_head()
{
	about 60 "One address, untagged here and tagged there, is two entries"
}
vlan_of_an_address_body()
{
	start
	host one 0
	host two 1
	run ifconfig bridge0 create addm epair0a addm epair1a up
	run jexec one ifconfig epair0b.1 create
	run jexec two ifconfig epair1b.1 create
	run jexec two ifconfig epair1b.1 ether 02:05:6e:06:28:1a
	run jexec one ifconfig epair0b ether 02:05:6e:06:28:1a
	run jexec one ifconfig epair0b.1 ether 02:05:6e:06:28:1b
	run jexec one ifconfig epair0b.1 192.0.2.1/24 up
	run jexec two ifconfig epair1b.1 192.0.2.2/24 up
	talk
	# The same address untagged from the other port: the announcement of
	# an address says so.
	run jexec one ifconfig epair0b 198.51.100.1/24 up
	wait_for 'ifconfig bridge0 addr |
	    grep -q "^02:05:6e:06:28:1a Vlan0 epair0a "'
	shows '^02:05:6e:06:28:1a Vlan1 epair1a ' ifconfig bridge0 addr
	talk
	coaxd_stop
}

atf_test_case many_members
many_members_head()
{
	about 120 "256 epairs on a bridge"
}
many_members_body()
{
	start
	created bridge0 bridge create
	for i in $(seq 0 255); do
		created "epair${i}a" epair create
		run ifconfig bridge0 addm "epair${i}a"
	done
	atf_check -o inline:'256\n' -x 'ifconfig bridge0 | grep -c member:'
	coaxd_stop
}

atf_test_case member_ifaddrs
member_ifaddrs_head()
{
	about 60 "Members may have addresses, or not: as the jail's sysctl says"
}
member_ifaddrs_body()
{
	start
	created epair0a epair create
	run ifconfig epair0a inet 192.0.2.1/24 up
	jailed one epair0b
	atf_check -o inline:'net.link.bridge.member_ifaddrs: 1 -> 1\n' \
	    jexec one sysctl net.link.bridge.member_ifaddrs=1
	run jexec one ifconfig epair0b inet 192.0.2.2/24 up
	run jexec one ifconfig bridge0 create addm epair0b
	wait_for 'ping -o -t 1 192.0.2.2'
	# Not allowed: neither before nor after it is a member. A bridge that
	# was moved in obeys, too.
	jailed two
	atf_check -o ignore jexec two sysctl net.link.bridge.member_ifaddrs=0
	run ifconfig bridge7 create
	run ifconfig bridge7 vnet two
	for words in '192.0.2.1/32' 'inet6 2001:db8::1/128' \
	    'inet6 -ifdisabled auto_linklocal up'; do
		ep=$(jexec two ifconfig epair create)
		# shellcheck disable=SC2086
		run jexec two ifconfig "$ep" $words
		refused 'BRDGADD epair.*: Invalid argument' \
		    jexec two ifconfig bridge7 addm "$ep"
	done
	for words in '192.0.2.2/32' 'inet6 2001:db8::1/128'; do
		ep=$(jexec two ifconfig epair create)
		run jexec two ifconfig bridge7 addm "$ep"
		# shellcheck disable=SC2086
		refused 'SIOCAIFADDR.*: Invalid argument' \
		    jexec two ifconfig "$ep" $words
	done
	# That is the jail's own business.
	atf_check -o inline:'1\n' sysctl -n net.link.bridge.member_ifaddrs
	coaxd_stop
}

atf_test_case vlan_on_a_member
vlan_on_a_member_head()
{
	about 60 "Tagged frames of a member reach the vlan interface on it"
}
vlan_on_a_member_body()
{
	start
	created epair0a epair create
	jailed one epair0a
	jailed two epair0b
	run jexec one ifconfig epair0a up
	run jexec one ifconfig epair0a.20 create inet 192.0.2.1/24 up
	created bridge0 -j two bridge create
	run jexec two ifconfig bridge0 addm epair0b up
	atf_check -o ignore jexec two sysctl net.link.bridge.member_ifaddrs=0
	run jexec two ifconfig epair0b up
	run jexec two ifconfig epair0b.20 create inet 192.0.2.2/24 up
	talk
	coaxd_stop
}

atf_test_case access_vlans
access_vlans_head()
{
	about 60 "Untagged VLANs with the filter on: the same talks, others do not"
}
access_vlans_body()
{
	start
	host one 0 192.0.2.1
	host two 1 192.0.2.2
	run ifconfig bridge0 create vlanfilter up
	run ifconfig bridge0 addm epair0a untagged 20
	run ifconfig bridge0 addm epair1a untagged 30
	silent
	run ifconfig bridge0 ifuntagged epair1a 20
	talk
	run ifconfig bridge0 -ifuntagged epair0a
	silent
	coaxd_stop
}

atf_test_case access_and_trunk
access_and_trunk_head()
{
	about 60 "The bridge puts tags in and takes them out"
}
access_and_trunk_body()
{
	start
	host one 0 192.0.2.1
	host two 1
	run jexec two ifconfig epair1b.20 create 192.0.2.2/24 up
	run ifconfig bridge0 create vlanfilter up
	run ifconfig bridge0 addm epair0a untagged 20
	run ifconfig bridge0 addm epair1a tagged 20
	talk
	coaxd_stop
}

atf_test_case tagged_on_access
tagged_on_access_head()
{
	about 60 "Tagged frames of a port's untagged VLAN do not pass"
}
tagged_on_access_body()
{
	start
	tagged_hosts
	run ifconfig bridge0 create vlanfilter up
	run ifconfig bridge0 addm epair0a untagged 20
	run ifconfig bridge0 addm epair1a untagged 20
	silent
	coaxd_stop
}

atf_test_case filter
filter_head()
{
	about 60 "A tagged VLAN passes if it is in the sets of both ports"
}
filter_body()
{
	start
	tagged_hosts
	run ifconfig bridge0 create vlanfilter up
	run ifconfig bridge0 addm epair0a addm epair1a
	silent
	run ifconfig bridge0 ifuntagged epair0a 20 ifuntagged epair1a 20
	silent
	run ifconfig bridge0 -ifuntagged epair0a -ifuntagged epair1a
	run ifconfig bridge0 +iftagged epair0a 10-30 +iftagged epair1a 10-30
	talk
	run ifconfig bridge0 -iftagged epair0a 20 -iftagged epair1a 20
	silent
	coaxd_stop
}

atf_test_case sets
sets_head()
{
	about 60 "Sets of VLANs: put, added to, taken from, shown, refused"
}
sets_body()
{
	start
	created epair0a epair create up
	run ifconfig bridge0 create vlanfilter up addm epair0a
	hides tagged ifconfig bridge0
	run ifconfig bridge0 iftagged epair0a 100-149
	shows 'tagged 100-149$' ifconfig bridge0
	run ifconfig bridge0 iftagged epair0a 139-199
	shows 'tagged 139-199$' ifconfig bridge0
	run ifconfig bridge0 +iftagged epair0a 100-170
	shows 'tagged 100-199$' ifconfig bridge0
	run ifconfig bridge0 -iftagged epair0a 104,105,150-159
	shows 'tagged 100-103,106-149,160-199$' ifconfig bridge0
	run ifconfig bridge0 iftagged epair0a none
	hides tagged ifconfig bridge0
	for set in -1 0 4096 4097 foo 0-10 4000-5000 foo-40 40-foo 20-10 1,,2 ''; do
		refused 'requires 2 arguments' ifconfig bridge0 iftagged "$set"
		for word in iftagged +iftagged -iftagged; do
			refused "invalid vlan set: $set\$" \
			    ifconfig bridge0 $word epair0a "$set"
		done
	done
	hides tagged ifconfig bridge0
	coaxd_stop
}

atf_test_case svi
svi_head()
{
	about 60 "A VLAN of the bridge is the host's, and nobody's member"
}
svi_body()
{
	start
	host one 0
	run jexec one ifconfig epair0b.20 create 192.0.2.1/24 up
	run ifconfig bridge0 create vlanfilter up addm epair0a tagged 20
	created vlan0 vlan create
	run ifconfig vlan0 vlan 20 vlandev bridge0
	run ifconfig vlan0 inet 192.0.2.2/24 up
	wait_for 'ping -o -t 1 192.0.2.1'
	run ifconfig bridge0.1 create
	refused 'BRDGADD bridge0.1: Invalid argument' \
	    ifconfig bridge0 addm bridge0.1
	coaxd_stop
}

atf_test_case qinq
qinq_head()
{
	about 60 "Two tags pass where the outer one may, and ports have qinq"
}
qinq_body()
{
	start
	host one 0
	host two 1
	for h in 'one 0 1' 'two 1 2'; do
		# shellcheck disable=SC2086
		set -- $h
		run jexec "$1" ifconfig "epair${2}b.5" create \
		    vlanproto 802.1ad up
		run jexec "$1" ifconfig "epair${2}b.5.10" create \
		    inet "192.0.2.$3/24" up
	done
	run ifconfig bridge0 create vlanfilter defqinq up
	run ifconfig bridge0 addm epair0a addm epair1a
	silent
	run ifconfig bridge0 +iftagged epair0a 5 +iftagged epair1a 5
	talk
	run ifconfig bridge0 -qinq epair0a
	silent
	coaxd_stop
}

atf_test_case unfiltered
unfiltered_head()
{
	about 60 "Untagged VLANs part ports without the filter, too"
}
unfiltered_body()
{
	start
	host one 0 192.0.2.1
	host two 1 192.0.2.2
	run ifconfig bridge0 create up
	run ifconfig bridge0 addm epair0a untagged 20
	run ifconfig bridge0 addm epair1a untagged 30
	silent
	run ifconfig bridge0 ifuntagged epair1a 20
	talk
	run ifconfig bridge0 -ifuntagged epair0a
	silent
	coaxd_stop
}

atf_test_case default_untagged
default_untagged_head()
{
	about 60 "defuntagged is the VLAN of members that come later"
}
default_untagged_body()
{
	start
	created bridge0 bridge create
	for id in 0 4095 5000; do
		refused "invalid vlan id: $id\$" \
		    ifconfig bridge0 defuntagged $id
	done
	hides defuntagged= ifconfig bridge0
	run ifconfig bridge0 defuntagged 10
	shows 'defuntagged=10$' ifconfig bridge0
	run ifconfig bridge0 -defuntagged
	hides defuntagged= ifconfig bridge0
	run ifconfig bridge0 defuntagged 10
	created epair0a epair create
	run ifconfig bridge0 addm epair0a
	atf_check -o inline:'10\n' -x 'ifconfig bridge0 | sed -Ene \
	    "/member: epair0a/ { N;s/.*untagged ([0-9]+).*/\\1/p;q; }"'
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case unicast
	atf_add_test_case static_address
	atf_add_test_case span
	atf_add_test_case inherit_mac
	atf_add_test_case destroyed_with_members
	atf_add_test_case same_names
	atf_add_test_case gif
	atf_add_test_case mtu
	atf_add_test_case vlan_of_an_address
	atf_add_test_case many_members
	atf_add_test_case member_ifaddrs
	atf_add_test_case vlan_on_a_member
	atf_add_test_case access_vlans
	atf_add_test_case access_and_trunk
	atf_add_test_case tagged_on_access
	atf_add_test_case filter
	atf_add_test_case sets
	atf_add_test_case svi
	atf_add_test_case qinq
	atf_add_test_case unfiltered
	atf_add_test_case default_untagged
}
