#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# Offloads: super-frames cross whole where both ends can take them, and are
# segmented with right checksums where one cannot. tool.py judges frames with
# code of its own.
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

# tcp FROM TO ADDRESS BYTES: a connection between two vnets.
tcp()
{
	: >got.out
	: >serve.err # what an earlier one said is not this one's
	# shellcheck disable=SC2086 # words
	coax jexec "$2" $lib_tool tcpserve "$3" 5000 >got.out 2>serve.err 9>&- &
	wait_for 'grep -q ready serve.err'
	# shellcheck disable=SC2086
	atf_check coax jexec "$1" $lib_tool tcpsend "$3" 5000 "$4"
	wait_for "grep -q '^$4\$' got.out"
}

# through_taps: s1 - bridge0 - tap0 - a program - tap1 - bridge1 - s2
through_taps()
{
	switch 1
	station s2 2
	run ifconfig tap0 create up
	run ifconfig tap1 create up
	run ifconfig bridge0 addm tap0
	run ifconfig bridge1 create addm tap1 addm vether2 up
	tap_forward tap0 tap1 frames
}

atf_test_case whole
whole_head()
{
	about 60 "Between two hosts TCP super-frames cross the bridge whole"
}
whole_body()
{
	start
	switch 2
	for to in 192.0.2.2 2001:db8::2; do
		bytes=$(field vether2 counters.obytes)
		packets=$(field vether2 counters.opackets)
		tcp s1 s2 $to 50000000
		bytes=$(($(field vether2 counters.obytes) - bytes))
		packets=$(($(field vether2 counters.opackets) - packets))
		[ "$bytes" -ge 50000000 ] || fail "$bytes bytes"
		[ $((bytes / packets)) -gt 6000 ] ||
		    fail "to $to: $((bytes / packets)) bytes a frame"
	done
	coaxd_stop
}

atf_test_case tcp_to_an_app
tcp_to_an_app_head()
{
	about 120 "An app gets TCP segments that fit, with right checksums"
}
tcp_to_an_app_body()
{
	start
	through_taps
	pings s1 192.0.2.2
	pings s1 2001:db8::2
	tcp s1 s2 192.0.2.2 2000000
	tcp s1 s2 2001:db8::2 2000000
	tap_release
	for v in 4 6; do
		atf_check -o ignore /usr/bin/python3 "$lib_dir/tool.py" \
		    checksums frames 1500 $v 6 2000000
	done
	coaxd_stop
}

atf_test_case udp_to_an_app
udp_to_an_app_head()
{
	about 60 "UDP to an app: right checksums; large sends are segmented"
}
udp_to_an_app_body()
{
	start
	through_taps
	for to in 192.0.2.2 2001:db8::2; do
		from=192.0.2.1
		[ $to = 192.0.2.2 ] || from=2001:db8::1
		pings s1 $to
		: >recv.err # as in tcp()
		# shellcheck disable=SC2086 # words
		coax jexec s2 $lib_tool udprecv $to 5000 43000 \
		    >got.out 2>recv.err 9>&- &
		wait_for 'grep -q ready recv.err'
		# One datagram, then 42 segments of 1000 bytes in one send.
		# shellcheck disable=SC2086
		run coax jexec s1 $lib_tool udpsend $from $to 5000 1000
		# shellcheck disable=SC2086
		run coax jexec s1 $lib_tool udpsend $from $to 5000 42000 1000
		wait_for 'grep -q 43000 got.out'
	done
	tap_release
	for v in 4 6; do
		atf_check -o ignore /usr/bin/python3 "$lib_dir/tool.py" \
		    checksums frames 1500 $v 17 43000
	done
	coaxd_stop
}

atf_test_case uso_whole
uso_whole_head()
{
	about 60 "Where the kernel has USO, a UDP super-frame crosses whole"
}
uso_whole_body()
{
	start
	switch 2
	pings s1 192.0.2.2
	coax jexec s1 ethtool -k vether1 >features 2>/dev/null || true
	grep -q 'tx-udp-segmentation: on' features ||
	    atf_skip "this kernel's TAP has no USO"
	# shellcheck disable=SC2086 # words
	coax jexec s2 $lib_tool udprecv 192.0.2.2 5000 42000 \
	    >got.out 2>recv.err &
	wait_for 'grep -q ready recv.err'
	packets=$(field vether2 counters.opackets)
	# shellcheck disable=SC2086
	run coax jexec s1 $lib_tool udpsend 192.0.2.1 192.0.2.2 5000 42000 1000
	wait_for 'grep -q 42000 got.out'
	packets=$(($(field vether2 counters.opackets) - packets))
	[ $packets -lt 10 ] || fail "$packets frames"
	coaxd_stop
}

atf_test_case small_mtu
small_mtu_head()
{
	about 60 "iperf3 both ways, also with a small MTU"
	atf_set require.progs iperf3
}
small_mtu_body()
{
	start
	switch 2
	coax jexec s2 iperf3 -s -p 5201 --forceflush \
	    >server.out 2>&1 &
	wait_for 'grep -q listening server.out'
	for mtu in 1500 1300 9000; do
		run ifconfig bridge0 mtu $mtu
		if [ $mtu = 1300 ]; then
			wait_for 'coax jexec s1 ip link show vether1 |
			    grep -q "mtu 1300"'
		fi
		pings s1 192.0.2.2
		for way in '' -R; do
			# shellcheck disable=SC2086 # none or one word
			atf_check -o ignore coax jexec s1 iperf3 \
			    -c 192.0.2.2 -n 20M $way
		done
	done
	hides 'bad-offload|gso-unsupported|csum-unknown|tx-error|host-error' \
	    coax drops
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case whole
	atf_add_test_case tcp_to_an_app
	atf_add_test_case udp_to_an_app
	atf_add_test_case uso_whole
	atf_add_test_case small_mtu
}
