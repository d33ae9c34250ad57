#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# The command lines of the documents that coax follows, as they are written
# there, and a first session typed by hand.
#
# shellcheck disable=SC2016,SC2034,SC2094,SC2119,SC2129,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

# tail_of IF: the print-out after its first line.
tail_of()
{
	ifconfig "$1" | sed 1d
}

atf_test_case feth_story
feth_story_head()
{
	about 30 "The feth document: create, look, peer, look"
}
feth_story_body()
{
	lab
	need_host
	coaxd_start
	run ifconfig feth0 create
	tail_of feth0 >out
	printf '\tether 66:65:74:68:00:00\n' >want
	printf '\tpeer: <none>\n\tmedia: autoselect\n' >>want
	printf '\tstatus: inactive\n' >>want
	atf_check -o file:want cat out

	# The document leaves out the creation of the second one.
	refused 'feth1' ifconfig feth0 peer feth1
	run ifconfig feth1 create
	run ifconfig feth0 peer feth1
	run ifconfig feth0 inet 192.0.2.1 netmask 0xffffff00
	tail_of feth0 >out
	printf '\tether 66:65:74:68:00:00\n' >want
	printf '\tinet 192.0.2.1 netmask 0xffffff00' >>want
	printf ' broadcast 192.0.2.255\n\tpeer: feth1\n' >>want
	printf '\tmedia: autoselect\n\tstatus: active\n' >>want
	atf_check -o file:want cat out
	shows 'peer: feth0' ifconfig feth1
	shows 'status: active' ifconfig feth1
	shows 'ether 66:65:74:68:00:01' ifconfig feth1
	coaxd_stop
}

atf_test_case first_session
first_session_head()
{
	about 60 "The first session, line by line, with its print-outs"
}
first_session_body()
{
	lab
	need_host
	coaxd_start
	run coax ifconfig feth0 create
	shows 'ether 66:65:74:68:00:00' coax ifconfig feth0
	shows 'peer: <none>' coax ifconfig feth0
	shows 'media: autoselect$' coax ifconfig feth0
	shows 'status: inactive' coax ifconfig feth0
	run coax ifconfig feth1 create
	run coax ifconfig feth0 peer feth1
	shows 'peer: feth1' coax ifconfig feth0
	shows 'status: active' coax ifconfig feth0
	run coax vnet create alice
	run coax ifconfig feth0 vnet alice
	run coax jexec alice ip address add 192.0.2.1/24 dev feth0
	run coax ifconfig tap0 create
	run coax ifconfig vether0 create
	run coax ifconfig bridge0 create
	run coax ifconfig bridge0 addm feth1 addm tap0 addm vether0 up
	run coax ifconfig feth0 up
	run coax ifconfig feth1 up
	run coax ifconfig tap0 up
	run coax ifconfig vether0 up

	# alice reaches the host's port, and the bridge has learned both.
	run coax ifconfig vether0 inet 192.0.2.2/24
	pings alice 192.0.2.2
	coax ifconfig bridge0 addr >out
	atf_check -o match:'^66:65:74:68:00:00 Vlan0 feth1 1[12][0-9][0-9] flags=0<>$' \
	    cat out
	atf_check -o match:"^$(mac vether0) Vlan0 vether0 1[12][0-9][0-9] flags=0<>\$" \
	    cat out

	coax ifconfig -l | tr ' ' '\n' | sort >out
	printf 'bridge0\nfeth0\nfeth1\ntap0\nvether0\n' >want
	atf_check -o file:want cat out
	coax ifconfig bridge0 >out
	atf_check -o match:'^bridge0: flags=[0-9a-f]*<UP,' cat out
	atf_check -o match:' metric 0 mtu 1500$' cat out
	atf_check -o match:'	id 00:00:00:00:00:00 priority 32768 hellotime 2 fwddelay 15$' cat out
	atf_check -o match:'	maxage 20 holdcnt 6 proto rstp maxaddr 2000 timeout 1200$' cat out
	atf_check -o match:'	root id 00:00:00:00:00:00 priority 0 ifcost 0 port 0$' cat out
	for i in feth1 tap0 vether0; do
		atf_check -o match:"	member: $i flags=143<LEARNING,DISCOVER,AUTOEDGE,AUTOPTP>\$" cat out
	done
	atf_check -o match:'	groups: bridge' cat out
	atf_check -o not-match:'tagged' cat out
	run coax ifconfig bridge0 destroy
	hides bridge0 coax ifconfig -l
	unpingable alice 192.0.2.2
	coaxd_stop
}

atf_test_case eight_ports
eight_ports_head()
{
	about 60 "The eight ports of if_bridge(4) on one line: two are looped"
}
# Of the loop fxp0 - fxp1 one end blocks; the others lead to cards.
looped()
{
	[ "$(ifconfig bridge0 | grep -c ' state forwarding ')" -eq 7 ] &&
	    [ "$(ifconfig bridge0 | grep -c ' state discarding ')" -eq 1 ]
}
eight_ports_body()
{
	lab
	need_host
	coaxd_start
	for i in 0 1 2 3 4 5 6 7; do
		atf_check -o ignore ifconfig "feth$i" create name "fxp$i" up
	done
	run ifconfig fxp0 peer fxp1
	for i in 2 3 4 5 6 7; do
		run ifconfig "feth2$i" create peer "fxp$i" up
	done
	run ifconfig bridge0 create
	run ifconfig bridge0 \
	    addm fxp0 stp fxp0 \
	    addm fxp1 stp fxp1 \
	    addm fxp2 stp fxp2 \
	    addm fxp3 stp fxp3 \
	    addm fxp4 stp fxp4 \
	    addm fxp5 stp fxp5 \
	    addm fxp6 stp fxp6 \
	    addm fxp7 stp fxp7 \
	    up
	[ "$(ifconfig bridge0 | grep -c 'member: fxp[0-7] flags=.*,STP,')" \
	    -eq 8 ] || fail "$(ifconfig bridge0)"
	shows '^bridge0: flags=[0-9a-f]*<UP,' ifconfig bridge0
	wait_for looped
	ifconfig bridge0 | grep -A 2 'member: fxp[01] ' >out
	atf_check -o match:' role backup state discarding ' cat out
	atf_check -o match:' role designated state forwarding ' cat out
	shows "	id $(mac bridge0) priority 32768" ifconfig bridge0
	shows "	root id $(mac bridge0) priority 32768 ifcost 0 port 0" \
	    ifconfig bridge0
	shows ' port 8 priority 128 path cost 2000 proto rstp' ifconfig bridge0

	# What a card sends, each other gets once.
	capture_start feth27 in.out -p
	tool send feth22 "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:0a \
	    88b5 one)"
	tool send feth22 "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:0a \
	    88b5 end)"
	marked 656e64 in.out
	[ "$(grep -c 6f6e65 in.out)" -eq 1 ] || fail "$(cat in.out)"
	coaxd_stop
}

atf_test_case wireless_example
wireless_example_head()
{
	about 60 "addm wlan0 addm fxp0 up: two networks become one"
}
wireless_example_body()
{
	lab
	need_host
	coaxd_start
	station one 1
	station two 2
	# Cards of those names, with a station behind each.
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 up
	run ifconfig feth2 create peer feth3 up
	run ifconfig feth3 up
	run ifconfig bridge1 create addm vether1 addm feth1 up
	run ifconfig bridge2 create addm vether2 addm feth3 up
	atf_check -o ignore ifconfig feth0 name wlan0
	atf_check -o ignore ifconfig feth2 name fxp0
	unpingable one 192.0.2.2
	run ifconfig bridge0 create
	run ifconfig bridge0 addm wlan0 addm fxp0 up
	pings one 192.0.2.2
	pings two 2001:db8::1
	# "all member interfaces and the bridge need to be up"
	run ifconfig fxp0 down
	unpingable one 192.0.2.2
	run ifconfig fxp0 up
	pings one 192.0.2.2
	run ifconfig bridge0 down
	unpingable one 192.0.2.2
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case feth_story
	atf_add_test_case first_session
	atf_add_test_case eight_ports
	atf_add_test_case wireless_example
}
