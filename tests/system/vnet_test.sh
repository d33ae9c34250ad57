#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# vnets: network stacks of their own, made here or adopted.
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

# other_ns: a process in a network namespace of somebody else: $other_pid.
other_ns()
{
	# unshare and the shell exec: it is one process.
	unshare -n sh -c 'echo ready; exec sleep 1000' >other.out &
	other_pid=$!
	wait_for 'grep -q ready other.out'
}

events_start()
{
	coax monitor --json >events.out 2>events.err &
	wait_for 'ifconfig feth99 create; ifconfig feth99 destroy;
	    [ -s events.out ]'
}

atf_test_case create_list_destroy
create_list_destroy_head()
{
	about 30 "vnet create, list, destroy, and their refusals"
}
create_list_destroy_body()
{
	start
	run coax vnet create alice
	run coax vnet create bob
	shows '^alice ' coax vnet list
	shows '^bob ' coax vnet list
	coax vnet list --json >j
	tool json 'any(x["name"] == "alice" for x in v)' <j || fail "$(cat j)"
	refused 'exists' coax vnet create alice
	refused . coax vnet create 'a b'
	refused . coax vnet create ''
	refused . coax vnet destroy nobody
	run coax vnet destroy alice
	hides '^alice ' coax vnet list
	refused . coax jexec alice true
	run coax vnet create alice
	coaxd_stop
}

atf_test_case jexec_status
jexec_status_head()
{
	about 30 "jexec runs in the vnet and returns the command's status"
}
jexec_status_body()
{
	start
	run coax vnet create alice
	run jexec alice true
	atf_check -s exit:7 jexec alice sh -c 'exit 7'
	refused 'execvp.*No such file' jexec alice no-such-command
	atf_check -o inline:'a b\nc\n' jexec alice printf '%s\n' 'a b' c
	atf_check -o inline:'in\n' sh -c 'echo in | jexec alice cat'
	[ "$(jexec alice readlink /proc/self/ns/net)" != \
	    "$(readlink /proc/self/ns/net)" ] || fail "the same namespace"
	# lo alone, and up.
	[ "$(jexec alice ip -o link | wc -l)" -eq 1 ] || fail "more than lo"
	run ifconfig vether0 create vnet alice
	shows vether0 jexec alice ip -o link
	coaxd_stop
}

atf_test_case moving
moving_head()
{
	about 60 "vnet and -vnet move the host side; membership stays"
}
moving_body()
{
	start
	switch 1
	run coax vnet create alice
	run ifconfig vether5 create up
	run ifconfig bridge0 addm vether5
	run ifconfig vether5 vnet alice
	atf_check -s exit:1 -e ignore ip link show vether5
	shows vether5 jexec alice ip link show vether5
	shows 'member: vether5' ifconfig bridge0
	run jexec alice ip address add 192.0.2.5/24 dev vether5
	wait_for 'jexec alice ip link show vether5 | grep -q LOWER_UP'
	pings alice 192.0.2.1
	# In alice's eyes it is vether5, and all there is.
	atf_check -o inline:'vether5\n' jexec alice ifconfig -l
	shows 'inet 192.0.2.5 netmask 0xffffff00' jexec alice ifconfig vether5
	# From home it is known as well.
	shows 'vnet: alice' ifconfig vether5
	run ifconfig vether5 -vnet
	shows vether5 ip link show vether5
	hides 'inet ' ifconfig vether5
	shows 'member: vether5' ifconfig bridge0
	refused . ifconfig vether5 vnet nobody
	coaxd_stop
}

atf_test_case names_of_each
names_of_each_head()
{
	about 60 "Each vnet has names of its own: two bridge0"
}
names_of_each_body()
{
	start
	run coax vnet create alice
	run ifconfig bridge0 create
	run ifconfig -j alice bridge0 create
	run ifconfig bridge0 description home
	run ifconfig bridge0@alice description hers
	shows 'description: home' ifconfig bridge0
	shows 'description: hers' ifconfig -j alice bridge0
	shows 'description: hers' jexec alice ifconfig bridge0
	[ "$(mac bridge0)" != "$(mac bridge0@alice)" ] || fail "one address"
	atf_check -o inline:'bridge0\n' ifconfig -l
	# Seen from inside there is no other vnet.
	refused . jexec alice ifconfig bridge0@home
	refused . jexec alice ifconfig -j home bridge0
	refused . jexec alice coax vnet create carol
	# A name that is taken there.
	run jexec alice ifconfig vether0 create
	run ifconfig vether0 create
	refused 'exists' ifconfig vether0 vnet alice
	atf_check -o inline:'vether1\n' jexec alice ifconfig vether create
	run jexec alice ifconfig bridge0 destroy
	shows 'description: home' ifconfig bridge0
	coaxd_stop
}

atf_test_case destroyed_with_guests
destroyed_with_guests_head()
{
	about 60 "A vnet that is destroyed: its guests come home, down"
}
destroyed_with_guests_body()
{
	start
	events_start
	run coax vnet create alice
	run ifconfig vether0 create vnet alice up
	run coax vnet destroy alice
	wait_for 'ip link show vether0'
	shows '^vether0: flags=[0-9a-f]*<BROADCAST' ifconfig vether0
	ip link show vether0 | grep -q '[<,]UP[,>]' && fail "it is up"
	wait_for 'grep -q alice events.out'
	coaxd_stop
}

atf_test_case adopted
adopted_head()
{
	about 60 "An adopted namespace that ends: netdevs come home, an event"
}
adopted_body()
{
	start
	events_start
	switch 1
	other_ns
	run coax vnet attach box "$other_pid"
	shows '^box .*adopted' coax vnet list
	run ifconfig vether5 create vnet box up
	run ifconfig bridge0 addm vether5
	ns="nsenter -t $other_pid -n"
	# shellcheck disable=SC2086 # words
	run $ns ip address add 192.0.2.5/24 dev vether5
	pings s1 192.0.2.5
	kill "$other_pid"
	wait_for 'ip link show vether5'
	wait_for '! ifconfig vether5 | grep -q "<UP"'
	wait_for 'grep vether5 events.out | grep -q box'
	wait_for '! coax vnet list | grep -q "^box "'
	# It still works.
	run ifconfig vether5 inet 192.0.2.5/24 up
	pings s1 192.0.2.5
	coaxd_stop
}

atf_test_case adopted_by_path
adopted_by_path_head()
{
	about 60 "attach takes a path as well, and refuses what is none"
}
adopted_by_path_body()
{
	start
	switch 1
	other_ns
	: >ns
	run mount --bind "/proc/$other_pid/ns/net" ns
	run coax vnet attach box "$PWD/ns"
	run ifconfig vether5 create vnet box up
	run coax jexec box ip address add 192.0.2.5/24 dev vether5
	run ifconfig bridge0 addm vether5
	pings s1 192.0.2.5
	refused . coax vnet attach box2 /dev/null
	refused . coax vnet attach box2 "$PWD/nothing"
	refused . coax vnet attach box2 99999999
	refused . coax vnet attach box "$PWD/ns"
	# What is adopted is let go, not ended.
	run coax vnet destroy box
	hides '^box' coax vnet list
	run nsenter --net="$PWD/ns" true
	wait_for 'ip link show vether5'
	coaxd_stop
}

atf_test_case clash_at_home
clash_at_home_head()
{
	about 60 "What comes home to a taken name gets the next free unit"
}
clash_at_home_body()
{
	start
	events_start
	other_ns
	run coax vnet attach box "$other_pid"
	# Born in the box, as vether0; home has one of that name too.
	run nsenter -t "$other_pid" -n ifconfig vether0 create
	run ifconfig vether0 create
	mac_its=$(mac vether0@box)
	kill "$other_pid"
	wait_for 'ifconfig vether1'
	[ "$(mac vether1)" = "$mac_its" ] || fail "another one"
	wait_for 'ip link show vether1'
	wait_for 'grep -q vether1 events.out'
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case create_list_destroy
	atf_add_test_case jexec_status
	atf_add_test_case moving
	atf_add_test_case names_of_each
	atf_add_test_case destroyed_with_guests
	atf_add_test_case adopted
	atf_add_test_case adopted_by_path
	atf_add_test_case clash_at_home
}
