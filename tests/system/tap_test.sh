#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# tap(4): the descriptor, the two lifetimes, the link.
#
# shellcheck disable=SC2016,SC2034,SC2094,SC2119,SC2129,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

# What a program does with two descriptors, on two members of a bridge.
between_two_taps()
{
	lab_or_here
	coaxd_start
	taps
	scenario "$1" tap0 tap1
}

atf_test_case one_call_one_frame
one_call_one_frame_head()
{
	about 30 "One write is one frame, one read is one frame"
}
one_call_one_frame_body()
{
	between_two_taps one_call_one_frame
	coaxd_stop
}

atf_test_case truncation
truncation_head()
{
	about 30 "A buffer that is too small loses the rest of its frame only"
}
truncation_body()
{
	between_two_taps truncation
	coaxd_stop
}

atf_test_case any_data
any_data_head()
{
	about 30 "Any data of any length can be written, also none"
}
any_data_body()
{
	between_two_taps any_data
	# 14 short ones and one of no bytes; one that no frame can hold.
	wait_for '[ "$(dropped tap0 runt)" -eq 15 ]'
	[ "$(dropped tap0 giant)" -eq 1 ] || fail "giant not counted"
	coaxd_stop
}

atf_test_case nonblocking
nonblocking_head()
{
	about 30 "FIONBIO: EWOULDBLOCK without data; else a read waits"
}
nonblocking_body()
{
	between_two_taps nonblocking
	scenario blocking tap0 tap1
	coaxd_stop
}

atf_test_case async
async_head()
{
	about 30 "FIOASYNC gives SIGIO; FIOSETOWN and FIOGETOWN say to whom"
}
async_body()
{
	between_two_taps async
	coaxd_stop
}

atf_test_case select_poll
select_poll_head()
{
	about 30 "select, poll and epoll say when there is a frame"
}
select_poll_body()
{
	between_two_taps select_poll
	coaxd_stop
}

atf_test_case next_size
next_size_head()
{
	about 30 "The size of the next frame, 0 without one"
}
next_size_body()
{
	between_two_taps next_size
	coaxd_stop
}

atf_test_case errors
errors_head()
{
	about 30 "ENXIO for no such unit, EBUSY for one that is open"
}
errors_body()
{
	between_two_taps errors
	coaxd_stop
}

atf_test_case never_reads
never_reads_head()
{
	about 60 "An app that never reads loses its own frames, counted"
}
never_reads_body()
{
	between_two_taps never_reads
	# What was written is what was sent and what was dropped.
	wait_for '[ "$(field tap0 counters.ipackets)" -eq 4001 ]'
	sent=$(field tap1 counters.opackets)
	lost=$(($(dropped tap1 queue-full) + $(dropped tap1 queue-bytes)))
	[ "$lost" -gt 0 ] || fail "nothing was dropped"
	[ $((sent + lost)) -eq 4001 ] ||
	    fail "$sent sent, $lost dropped of 4001"
	[ "$(field tap1 counters.oerrors)" -eq "$lost" ] ||
	    fail "oerrors is not $lost"
	shows 'queue-(full|bytes)' coax drops tap1
	# The pool has all its frames again.
	coax rpc pool.get >pool
	tool json 'v["small"]["free"] == v["small"]["total"]' <pool ||
	    wait_for 'coax rpc pool.get |
		tool json "v[\"small\"][\"free\"] == v[\"small\"][\"total\"]"'
	coaxd_stop
}

atf_test_case clone
clone_head()
{
	about 60 "A clone lives until its last descriptor is closed or killed"
}
clone_body()
{
	lab_or_here
	coaxd_start
	# The lowest free unit, also beside fixed ones.
	run ifconfig tap0 create
	run ifconfig tap2 create
	tap_hold
	[ "$tap_name" = tap1 ] || fail "it is $tap_name"
	shows '^tap1: ' ifconfig tap1
	[ "$(tap_do ifname)" = tap1 ] || fail "ifname"
	atf_check -o ignore ifconfig tap1 name app
	[ "$(tap_do ifname)" = app ] || fail "it has a new name"
	tap_release
	wait_for '! ifconfig app'
	# Killed in the middle.
	tap_hold
	[ "$tap_name" = tap1 ] || fail "it is $tap_name"
	kill -KILL "$tap_pid"
	wait_for '! ifconfig tap1'
	scenario clone_lives - -
	wait_for '[ "$(ifconfig -l | wc -w)" -eq 2 ]'
	coaxd_stop
}

atf_test_case fixed_unit
fixed_unit_head()
{
	about 30 "A fixed unit stays after the close; sent frames are counted"
}
fixed_unit_body()
{
	lab_or_here
	coaxd_start
	taps
	tap_hold tap0
	# Nobody reads tap1: counted as sent, not as dropped.
	f=$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:01 88b5 one)
	[ "$(tap_do write "$f")" = "written 60" ] || fail "not written"
	wait_for '[ "$(field tap1 counters.opackets)" -eq 1 ]'
	[ "$(field tap1 drops_total)" -eq 0 ] || fail "dropped"
	tap_release
	shows '^tap0: ' ifconfig tap0
	tap_hold tap0
	tap_release
	coaxd_stop
}

atf_test_case destroyed_while_open
destroyed_while_open_head()
{
	about 30 "Destroyed while open: end of file, EPIPE without a signal"
}
destroyed_while_open_body()
{
	lab_or_here
	coaxd_start
	run ifconfig tap0 create up
	"$COAX_BUILD/tests/system/tap_helper" destroyed tap0 - \
	    >helper.out 2>helper.err &
	pid=$!
	wait_for 'grep -q open helper.out'
	run ifconfig tap0 destroy
	wait $pid || fail "$(cat helper.err)"
	coaxd_stop
}

atf_test_case link_follows_open
link_follows_open_head()
{
	about 30 "The link is up exactly while it is open; the netdev too"
}
link_follows_open_body()
{
	lab
	need_host
	coaxd_start
	run ifconfig tap0 create up
	shows 'status: no carrier' ifconfig tap0
	wait_for 'ip link show tap0 | grep -q NO-CARRIER'
	tap_hold tap0
	shows 'status: active' ifconfig tap0
	wait_for 'ip link show tap0 | grep -q LOWER_UP'
	tap_release
	wait_for 'ifconfig tap0 | grep -q "status: no carrier"'
	wait_for 'ip link show tap0 | grep -q NO-CARRIER'
	coaxd_stop
}

atf_test_case to_and_from_the_kernel
to_and_from_the_kernel_head()
{
	about 30 "Frames that the kernel sends are read; written ones arrive"
}
to_and_from_the_kernel_body()
{
	lab
	need_host
	coaxd_start
	run ifconfig tap0 create inet 192.0.2.1/24 up
	tap_hold tap0
	# The kernel asks for 192.0.2.2: a broadcast ARP request.
	ping -n -c 1 -W 1 192.0.2.2 >ping.out 2>&1 &
	us=$(nocolon "$(mac tap0)")
	req=$(tap_do find "08060001080006040001${us}c0000201")
	[ "$req" != none ] || fail "no ARP request"
	[ "$(echo "$req" | cut -c1-24)" = "ffffffffffff$us" ] ||
	    fail "$req"
	# Answered by hand: the kernel has the neighbour.
	us_to=c0000201
	reply="${us}02000000000208060001080006040002020000000002c0000202"
	tap_say write "$reply$us$us_to"
	wait_for 'ip neighbour show 192.0.2.2 | grep -q 02:00:00:00:00:02'
	# And a frame that is no protocol's arrives on the netdev.
	capture_start tap0 cap.out
	tap_say write "$(frame "$(mac tap0)" 02:00:00:00:00:02 88b5 hello)"
	marked "88b5$(printf hello | od -An -tx1 | tr -d ' \n')" cap.out
	tap_release
	coaxd_stop
}

atf_test_case address_detection
address_detection_head()
{
	about 60 "An IPv6 address is tentative until the open, then checked"
}
address_detection_body()
{
	lab
	need_host
	coaxd_start
	run ifconfig tap0 create up
	run ip -6 address add 2001:db8::1/64 dev tap0
	# It waits for the open, not for its time: one that was given to a
	# vether after it has been checked meanwhile.
	run ifconfig vether9 create up
	run ip -6 address add 2001:db8:9::1/64 dev vether9
	wait_for 'ip -6 address show dev vether9 |
	    grep 2001:db8:9::1 | grep -qv tentative'
	shows 'inet6 2001:db8::1/64.* tentative' ip -6 address show dev tap0
	shows 'inet6 2001:db8::1 prefixlen 64 tentative' ifconfig tap0
	tap_hold tap0
	# Neighbour solicitation from :: for the address.
	us=20010db8000000000000000000000001
	ns=$(tap_do find "00000000$us")
	[ "$ns" != none ] || fail "no solicitation"
	[ "$(echo "$ns" | cut -c1-12)" = 3333ff000001 ] || fail "$ns"
	[ "$(echo "$ns" | cut -c45-76)" = 00000000000000000000000000000000 ] ||
	    fail "the source is not ::: $ns"
	wait_for '! ip -6 address show dev tap0 | grep -q tentative'
	wait_for '! ifconfig tap0 | grep -q tentative'
	tap_release
	coaxd_stop
}

# caveat KIND: bridge0 with a station s1 and KIND0, which has 192.0.2.9.
caveat()
{
	lab
	need_host
	coaxd_start
	switch 1
	run ifconfig "${1}0" create inet 192.0.2.9/24 up
	run ifconfig "${1}0" inet6 2001:db8::9 prefixlen 64
	run ifconfig bridge0 addm "${1}0"
}

atf_test_case caveat_tap
caveat_tap_head()
{
	about 60 "An address on a bridged tap is reachable once it is open"
}
caveat_tap_body()
{
	caveat tap
	pings s1 192.0.2.1
	unpingable s1 192.0.2.9
	unpingable s1 2001:db8::9
	tap_hold tap0
	wait_for '! ip -6 address show dev tap0 | grep -q tentative'
	pings s1 192.0.2.9
	pings s1 2001:db8::9
	tap_release
	coaxd_stop
}

atf_test_case caveat_vether
caveat_vether_head()
{
	about 60 "An address on a bridged vether is reachable at once"
}
caveat_vether_body()
{
	caveat vether
	wait_for '! ip -6 address show dev vether0 | grep -q tentative'
	pings s1 192.0.2.9
	pings s1 2001:db8::9
	# media none takes its link away.
	run ifconfig vether0 media none
	wait_for 'ip link show vether0 | grep -q NO-CARRIER'
	unpingable s1 192.0.2.9
	run ifconfig vether0 media auto
	wait_for 'ip link show vether0 | grep -q LOWER_UP'
	pings s1 192.0.2.9
	coaxd_stop
}

atf_test_case stand_alone
stand_alone_head()
{
	about 30 "Outside of a bridge a tap or vether reaches nobody"
}
stand_alone_body()
{
	lab
	need_host
	coaxd_start
	switch 1
	run ifconfig vether9 create inet 192.0.2.9/24 up
	unpingable s1 192.0.2.9
	atf_check -s not-exit:0 -o ignore -e ignore \
	    ping -n -c 1 -w 1 192.0.2.1
	[ "$(dropped vether9 no-stack)" -gt 0 ] ||
	    fail "no-stack is not counted"
	run ifconfig vether9 destroy
	run ifconfig tap9 create inet 192.0.2.9/24 up
	unpingable s1 192.0.2.9
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case one_call_one_frame
	atf_add_test_case truncation
	atf_add_test_case any_data
	atf_add_test_case nonblocking
	atf_add_test_case async
	atf_add_test_case select_poll
	atf_add_test_case next_size
	atf_add_test_case errors
	atf_add_test_case never_reads
	atf_add_test_case clone
	atf_add_test_case fixed_unit
	atf_add_test_case destroyed_while_open
	atf_add_test_case link_follows_open
	atf_add_test_case to_and_from_the_kernel
	atf_add_test_case address_detection
	atf_add_test_case caveat_tap
	atf_add_test_case caveat_vether
	atf_add_test_case stand_alone
}
