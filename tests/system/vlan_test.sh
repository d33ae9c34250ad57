#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# vlan(4) and the VLANs of bridge(4). The vlan_* cases ask what FreeBSD's own
# tests of if_bridge ask.
#
# shellcheck disable=SC2154

. "$(atf_get_srcdir)/lib.subr"

all=ff:ff:ff:ff:ff:ff
a=02:00:00:00:00:0a
b=02:00:00:00:00:0b

hex()
{
	printf %s "$1" | od -An -tx1 | tr -d ' \n'
}

# start_two: vnets s1 and s2 with vethers on bridge0 that have no addresses.
start_two()
{
	lab
	need_host
	coaxd_start
	run ifconfig bridge0 create up
	for i in 1 2; do
		run coax vnet create s$i
		run ifconfig vether$i create vnet s$i up
		run ifconfig bridge0 addm vether$i
	done
}

# plain_ip N: an address on vetherN itself.
plain_ip()
{
	run coax jexec "s$1" ip address add "192.0.2.$1/24" dev "vether$1"
}

# tagged_ip N VID: on a vlan of vetherN, as a station that tags would have it:
# the frames cross the netdev of vetherN with the tag.
tagged_ip()
{
	near=feth$((10 * $1)) far=feth$((10 * $1 + 1))
	run ifconfig "$near" create peer "$far" up
	run ifconfig "$far" -host up
	run ifconfig bridge0 addm "$far"
	run ifconfig "$near.$2" create
	run ifconfig "$near.$2" vnet "s$1" up
	run coax jexec "s$1" ip address add "192.0.2.$1/24" dev "$near.$2"
}

# start_trunks VID [create words]: s1 behind feth10 (member feth11), s2 behind
# feth20 (member feth21), both on VLAN VID, tagged.
start_trunks()
{
	lab
	need_host
	coaxd_start
	run ifconfig bridge0 create up
	for i in 1 2; do
		run coax vnet create s$i
		tagged_ip $i "$1"
	done
}

atf_test_case vlan_pvid
vlan_pvid_head()
{
	about 60 "Untagged on the same VLAN talk; one without it does not"
}
vlan_pvid_body()
{
	start_two
	plain_ip 1
	plain_ip 2
	run ifconfig bridge0 vlanfilter ifuntagged vether1 20 ifuntagged vether2 20
	pings s1 192.0.2.2
	pings s2 192.0.2.1
	shows ' Vlan20 vether1 ' ifconfig bridge0 addr
	run ifconfig bridge0 -ifuntagged vether1
	unpingable s1 192.0.2.2
	unpingable s2 192.0.2.1
	[ "$(dropped bridge0 vlan-ingress)" -gt 0 ] || fail "not counted"
	coaxd_stop
}

atf_test_case vlan_pvid_filtered
vlan_pvid_filtered_head()
{
	about 60 "Two VLANs do not talk, filtered or not"
}
vlan_pvid_filtered_body()
{
	start_two
	plain_ip 1
	plain_ip 2
	run ifconfig bridge0 ifuntagged vether1 20 ifuntagged vether2 30
	unpingable s1 192.0.2.2
	run ifconfig bridge0 vlanfilter
	unpingable s1 192.0.2.2
	unpingable s2 192.0.2.1
	run ifconfig bridge0 ifuntagged vether2 20
	pings s1 192.0.2.2
	run ifconfig bridge0 -vlanfilter
	pings s1 192.0.2.2
	run ifconfig bridge0 -ifuntagged vether2
	unpingable s1 192.0.2.2
	coaxd_stop
}

atf_test_case vlan_pvid_1q
vlan_pvid_1q_head()
{
	about 60 "Untagged on one port, tagged on the other"
}
vlan_pvid_1q_body()
{
	start_two
	plain_ip 1
	run ifconfig bridge0 deletem vether2
	tagged_ip 2 20
	run ifconfig bridge0 vlanfilter ifuntagged vether1 20 iftagged feth21 20
	pings s1 192.0.2.2
	pings s2 192.0.2.1
	# Super-frames too: the tag goes in, and out again.
	in_vnet s2 /usr/bin/python3 "$lib_dir/tool.py" \
	    tcpserve 192.0.2.2 5001 >tcp.out 2>tcp.err &
	server_pid=$!
	wait_for "in_vnet s2 ss -ltn | grep -q 5001"
	atf_check -o ignore -e ignore coax jexec s1 /usr/bin/python3 \
	    "$lib_dir/tool.py" tcpsend 192.0.2.2 5001 4000000
	wait $server_pid || fail "$(cat tcp.err)"
	# Many bytes a frame: they were not cut up on the way.
	[ "$(field bridge0 counters.opackets)" -lt 2000 ] ||
	    fail "$(field bridge0 counters.opackets) frames for 4 MB"
	coaxd_stop
}

atf_test_case vlan_pvid_tagged
vlan_pvid_tagged_head()
{
	about 60 "A tagged frame is refused where its VLAN is the untagged one"
}
vlan_pvid_tagged_body()
{
	start_trunks 20
	run ifconfig bridge0 vlanfilter ifuntagged feth11 20 ifuntagged feth21 20
	unpingable s1 192.0.2.2
	coaxd_stop
}

atf_test_case vlan_filtering
vlan_filtering_head()
{
	about 60 "Tagged VLANs pass where the sets say so"
}
vlan_filtering_body()
{
	start_trunks 20
	pings s1 192.0.2.2
	run ifconfig bridge0 vlanfilter
	unpingable s1 192.0.2.2
	run ifconfig bridge0 ifuntagged feth11 20 ifuntagged feth21 20
	unpingable s1 192.0.2.2
	run ifconfig bridge0 -ifuntagged feth11 -ifuntagged feth21 \
	    +iftagged feth11 10-30 +iftagged feth21 10-30
	pings s1 192.0.2.2
	shows ' Vlan20 feth11 ' ifconfig bridge0 addr
	run ifconfig bridge0 -iftagged feth11 20
	unpingable s1 192.0.2.2
	coaxd_stop
}

atf_test_case vlan_qinq
vlan_qinq_head()
{
	about 60 "802.1ad outside, 802.1Q inside"
}
vlan_qinq_body()
{
	lab
	need_host
	coaxd_start
	run ifconfig bridge0 create vlanfilter defqinq up
	for i in 1 2; do
		run coax vnet create s$i
		run ifconfig feth${i}0 create peer feth${i}1 up
		run ifconfig feth${i}1 -host up
		run ifconfig bridge0 addm feth${i}1
		run ifconfig feth${i}0.5 create vlanproto 802.1ad up
		run ifconfig feth${i}0.5.10 create vnet s$i up
		run coax jexec s$i ip address add 192.0.2.$i/24 \
		    dev feth${i}0.5.10
	done
	unpingable s1 192.0.2.2
	run ifconfig bridge0 ifvlanproto feth11 802.1ad ifvlanproto feth21 802.1ad
	run ifconfig bridge0 +iftagged feth11 5 +iftagged feth21 5
	pings s1 192.0.2.2
	capture_start feth20 2.cap -p
	pings s1 192.0.2.2
	# Service tag 5, customer tag 10.
	wait_for "grep -q 88a800058100000a 2.cap"
	run ifconfig bridge0 -qinq feth21
	unpingable s1 192.0.2.2
	coaxd_stop
}

atf_test_case vlan_ifconfig_iftagged
vlan_ifconfig_iftagged_head()
{
	about 60 "Sets are added to, taken from, and shown as ranges"
}
vlan_ifconfig_iftagged_body()
{
	lab_or_here
	coaxd_start
	run ifconfig feth0 create -host
	run ifconfig bridge0 create -host addm feth0
	hides tagged ifconfig bridge0
	run ifconfig bridge0 iftagged feth0 100-149
	shows 'vlan protocol 802.1q tagged 100-149$' ifconfig bridge0
	run ifconfig bridge0 iftagged feth0 139-199
	shows ' tagged 139-199$' ifconfig bridge0
	run ifconfig bridge0 +iftagged feth0 100-170
	shows ' tagged 100-199$' ifconfig bridge0
	run ifconfig bridge0 -iftagged feth0 104,105,150-159
	shows ' tagged 100-103,106-149,160-199$' ifconfig bridge0
	run ifconfig bridge0 iftagged feth0 none
	hides tagged ifconfig bridge0
	for set in 0 4095 4096 0-10 4094-4095 5-4 x 1,x ',1' '1,' 1,,2; do
		refused "invalid vlan set: $set" \
		    ifconfig bridge0 iftagged feth0 "$set"
	done
	for id in 0 4095 5000; do
		refused "invalid vlan id: $id" ifconfig bridge0 defuntagged $id
	done
	run ifconfig bridge0 defuntagged 10
	shows 'bridge flags=0<> defuntagged=10$' ifconfig bridge0
	run ifconfig bridge0 deletem feth0
	run ifconfig bridge0 addm feth0
	shows ' untagged 10$' ifconfig bridge0
	coaxd_stop
}

atf_test_case vlan_svi
vlan_svi_head()
{
	about 60 "A VLAN of the bridge is the host's port on it, and no member"
}
vlan_svi_body()
{
	start_two
	plain_ip 1
	plain_ip 2
	run ifconfig bridge0 vlanfilter ifuntagged vether1 20 ifuntagged vether2 30
	run ifconfig bridge0.20 create up
	run ifconfig bridge0.20 inet 192.0.2.9/24
	wait_for 'ping -n -q -c 1 -W 1 192.0.2.1'
	pings s1 192.0.2.9
	unpingable s2 192.0.2.9
	shows 'vlan: 20 vlanproto: 802.1q vlanpcp: 0 parent interface: bridge0$' \
	    ifconfig bridge0.20
	# With an address of its own it is reached too.
	run ifconfig bridge0.20 ether 02:00:00:00:20:20
	run coax jexec s1 ip neigh flush all
	pings s1 192.0.2.9
	pings s1 192.0.2.9
	shows 02:00:00:00:20:20 coax jexec s1 ip neigh show to 192.0.2.9
	refused 'BRDGADD bridge0.20: Invalid argument' \
	    ifconfig bridge1 create addm bridge0.20
	run ifconfig bridge0.20 destroy
	atf_check -s not-exit:0 -o ignore -e ignore \
	    ping -n -q -c 1 -W 0.3 192.0.2.1
	coaxd_stop
}

atf_test_case vlan_independent
vlan_independent_head()
{
	about 60 "One address in two VLANs has two places"
}
vlan_independent_body()
{
	lab
	need_host
	coaxd_start
	cables 3
	for i in 0 2 4; do
		capture_start feth$i $i.cap -p
	done
	run ifconfig bridge0 vlanfilter ifuntagged feth1 1 ifuntagged feth3 2 \
	    iftagged feth5 1,2
	tool send feth0 "$(frame $all $a 88b5 one)"
	tool send feth2 "$(frame $all $a 88b5 two)"
	marked "8100000188b5$(hex one)" 4.cap
	marked "8100000288b5$(hex two)" 4.cap
	shows "^$a Vlan1 feth1 " ifconfig bridge0 addr
	shows "^$a Vlan2 feth3 " ifconfig bridge0 addr
	# From the trunk, each to its own.
	to=$(nocolon $a) from=$(nocolon $b)
	tool send feth4 "$to${from}8100000188b5$(hex first)$(printf %080d 0)"
	tool send feth4 "$to${from}8100000288b5$(hex second)$(printf %080d 0)"
	marked "88b5$(hex first)" 0.cap
	marked "88b5$(hex second)" 2.cap
	! grep -q "$(hex second)" 0.cap || fail "feth0 got second"
	! grep -q "$(hex first)" 2.cap || fail "feth2 got first"
	! grep -q 8100 0.cap || fail "a tag on an untagged port"
	coaxd_stop
}

atf_test_case span_and_groups
span_and_groups_head()
{
	about 60 "Span ports get tags; reserved groups go where they are let"
}
span_and_groups_body()
{
	lab
	need_host
	coaxd_start
	cables 3
	run ifconfig bridge0 deletem feth5 span feth5
	for i in 2 4; do
		capture_start feth$i $i.cap -p
	done
	run ifconfig bridge0 vlanfilter ifuntagged feth1 20 ifuntagged feth3 30
	tool send feth0 "$(frame $all $a 88b5 tagme)"
	marked "8100001488b5$(hex tagme)" 4.cap
	# LLDP: spanned, not forwarded, until both ports say so.
	lldp=01:80:c2:00:00:0e
	tool send feth0 "$(frame $lldp $a 88cc before)"
	marked "88cc$(hex before)" 4.cap
	run ifconfig bridge0 group-fwd feth1 14 forward group-fwd feth3 14 forward
	tool send feth0 "$(frame $lldp $a 88cc after)"
	marked "88cc$(hex after)" 2.cap
	! grep -q "$(hex before)" 2.cap || fail "forwarded"
	! grep -q "$(hex tagme)" 2.cap || fail "leaked"
	shows 'group-fwd 14 forward$' ifconfig bridge0
	coaxd_stop
}

atf_test_case vlan_interfaces
vlan_interfaces_head()
{
	about 60 "Interfaces of one VLAN: created, followed, detached"
}
vlan_interfaces_body()
{
	lab
	need_host
	coaxd_start
	run coax vnet create s1
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 create up
	atf_check -o inline:"vlan0\n" \
	    ifconfig vlan create vlandev feth0 vlan 10
	run ifconfig feth1.10 create
	run ifconfig feth1.10 vnet s1 up
	run ifconfig vlan0 inet 192.0.2.1/24
	run coax jexec s1 ip address add 192.0.2.2/24 dev feth1.10
	wait_for 'ping -n -q -c 1 -W 1 192.0.2.2'
	[ "$(mac vlan0)" = "$(mac feth0)" ] || fail "another address"
	shows 'status: active' ifconfig vlan0
	run ifconfig feth0 mtu 1400
	shows 'mtu 1400$' ifconfig vlan0
	wait_for 'ip link show vlan0 | grep -q "mtu 1400"'
	refused 'Invalid argument' ifconfig vlan0 mtu 1500
	run ifconfig feth1 destroy
	wait_for 'ifconfig vlan0 | grep -q "no carrier"'
	run ifconfig feth0 destroy
	shows 'parent interface: <none>' ifconfig vlan0
	refused 'both vlan and vlandev must be specified' \
	    ifconfig vlan0 vlan 11
	run ifconfig vlan0 destroy
	run ifconfig feth1.10 destroy
	coaxd_stop
}

atf_test_case capmask
capmask_head()
{
	about 60 "With capmask, members have the offloads that all of them have"
}
capmask_body()
{
	lab
	need_host
	coaxd_start
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 create up
	run ifconfig tap0 create up
	run ifconfig bridge0 create addm feth0 up
	shows 'options=.*TXCSUM.*TSO4.*TSO6' ifconfig -v feth0
	hides 'LRO' ifconfig -a
	wait_for 'ethtool -k feth0 | grep -q "tcp-segmentation-offload: on"'
	# A tap without offloads joins: nothing happens, by default.
	run ifconfig bridge0 addm tap0
	shows 'options=.*TSO4' ifconfig -v feth0
	atf_check -o ignore sysctl net.link.bridge.capmask=1
	hides 'TXCSUM|TSO' ifconfig -v feth0
	wait_for 'ethtool -k feth0 | grep -q "tcp-segmentation-offload: off"'
	run ifconfig bridge0 deletem tap0
	shows 'options=.*TSO4' ifconfig -v feth0
	wait_for 'ethtool -k feth0 | grep -q "tcp-segmentation-offload: on"'
	run ifconfig bridge0 addm tap0
	hides 'TXCSUM|TSO' ifconfig -v feth0
	run ifconfig bridge0 deletem feth0
	shows 'options=.*TSO4' ifconfig -v feth0
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case vlan_pvid
	atf_add_test_case vlan_pvid_filtered
	atf_add_test_case vlan_pvid_1q
	atf_add_test_case vlan_pvid_tagged
	atf_add_test_case vlan_filtering
	atf_add_test_case vlan_qinq
	atf_add_test_case vlan_ifconfig_iftagged
	atf_add_test_case vlan_svi
	atf_add_test_case vlan_independent
	atf_add_test_case span_and_groups
	atf_add_test_case vlan_interfaces
	atf_add_test_case capmask
}
