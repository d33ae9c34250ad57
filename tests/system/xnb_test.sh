#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# xnb(4): ring ports of programs.
#
# shellcheck disable=SC2016,SC2034,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

# quiet: no host sides, whose kernel would say things of its own.
quiet()
{
	atf_check -s exit:0 -o ignore -e empty sysctl net.link.host_attach=0
}

# ports N: bridge0 with xnb0, xnb1 ..., all up, that outlive their programs.
ports()
{
	run ifconfig bridge0 create up
	for lib_i in $(seq 0 $(($1 - 1))); do
		run ifconfig "xnb$lib_i" create persist up
		run ifconfig bridge0 addm "xnb$lib_i"
	done
}

# example NAME FILE [ARGUMENT ...]: in the background, what it prints to FILE.
# Its process id is $example_pid.
example()
{
	lib_name=$1 lib_file=$2
	shift 2
	: >"$lib_file"
	"$COAX_BUILD/examples/$lib_name" "$@" >"$lib_file" 2>"$lib_file.err" &
	example_pid=$!
}

# port_hold NAME [OPTION ...]: a program that has the port and takes offloads,
# until port_release. Options: -q QUEUES.
port_hold()
{
	rm -f port.in
	mkfifo port.in
	: >port.out
	"$COAX_BUILD/tests/system/port_helper" hold "$@" \
	    <port.in >port.out 2>port.err &
	port_pid=$!
	exec 8>port.in
	wait_for '[ -s port.out ] || ! kill -0 "$port_pid"'
	[ -s port.out ] || fail "no port: $(cat port.err)"
}

port_release()
{
	exec 8>&-
	wait "$port_pid" || fail "port_helper: $(cat port.err)"
}

atf_test_case between_programs
between_programs_head()
{
	about 60 "Frames of one program reach another through a bridge, all"
}
between_programs_body()
{
	lab_or_here
	coaxd_start
	ports 2
	# What the rings and the queue hold is not lost, however slow the sink.
	example ring-sink sink.out -c 500 xnb1
	wait_for 'grep -q ready sink.out'
	shows '^sent 500$' "$COAX_BUILD/examples/ring-generator" -c 500 xnb0
	wait "$example_pid" || fail "$(cat sink.out.err)"
	grep -q '^received 500 frames, 30000 bytes' sink.out ||
	    fail "$(cat sink.out)"
	# More than a slow sink takes is dropped, and accounted for.
	example ring-sink sink.out xnb1
	wait_for 'grep -q ready sink.out'
	shows '^sent 200000$' "$COAX_BUILD/examples/ring-generator" \
	    -c 200000 xnb0
	wait "$example_pid" || fail "$(cat sink.out.err)"
	lib_got=$(sed -n 's/^received \([0-9]*\) frames.*/\1/p' sink.out)
	lib_lost=$(dropped xnb1 queue-full)
	[ "$((lib_got + lib_lost))" -eq 200000 ] ||
	    fail "$lib_got received, $lib_lost dropped, of 200000"
	[ "$(field xnb0 counters.ipackets)" -eq 200500 ]
	[ "$(field xnb1 counters.opackets)" -eq "$((lib_got + 500))" ]
	coaxd_stop
}

atf_test_case lifetime
lifetime_head()
{
	about 60 "The interface ends with its program unless it is to persist"
}
lifetime_body()
{
	lab_or_here
	coaxd_start
	run ifconfig xnb0 create
	example ring-echo echo.out xnb0
	wait_for 'grep -q ready echo.out'
	shows 'status: active' ifconfig xnb0
	kill -KILL "$example_pid"
	wait_for '! ifconfig xnb0'
	run ifconfig xnb0 create persist
	example ring-echo echo.out xnb0
	wait_for 'grep -q ready echo.out'
	kill -KILL "$example_pid"
	wait_for 'ifconfig xnb0 | grep -q "status: no carrier"'
	# The next one gets it; a second one does not.
	example ring-echo echo.out xnb0
	wait_for 'grep -q ready echo.out'
	atf_check -s exit:1 -e match:'xnb0: Device or resource busy' \
	    "$COAX_BUILD/examples/ring-echo" xnb0
	run ifconfig xnb0 -persist
	run ifconfig xnb0 destroy
	wait_for '! kill -0 "$example_pid"'
	grep -q 'Broken pipe' echo.out.err || fail "$(cat echo.out.err)"
	coaxd_stop
}

atf_test_case configured_by_ifconfig
configured_by_ifconfig_head()
{
	about 60 "MAC, MTU and every offload's word, also all at once"
}
configured_by_ifconfig_body()
{
	lab_or_here
	coaxd_start
	run ifconfig xnb0 create persist ether 00:16:3e:00:00:01 mtu 65521 up
	shows 'ether 00:16:3e:00:00:01' ifconfig xnb0
	shows 'mtu 65521' ifconfig xnb0
	refused 'SIOCSIFMTU|Invalid' ifconfig xnb0 mtu 65522
	run ifconfig xnb0 mtu 1500
	# Nobody is there who could take anything; what comes in may be undone.
	shows 'options=280401<RXCSUM,LRO,LINKSTATE,RXCSUM_IPV6>' ifconfig xnb0
	run ifconfig xnb0 -rxcsum -rxcsum6 -lro
	shows 'options=80000<LINKSTATE>' ifconfig xnb0
	run ifconfig xnb0 rxcsum rxcsum6 lro
	port_hold xnb0
	shows 'options=680703<RXCSUM,TXCSUM,TSO4,TSO6,LRO,LINKSTATE,RXCSUM_IPV6,TXCSUM_IPV6>' \
	    ifconfig xnb0
	run ifconfig xnb0 -tso4
	hides 'TSO4' ifconfig xnb0
	shows 'TSO6' ifconfig xnb0
	run ifconfig xnb0 tso4 -txcsum
	hides 'TXCSUM,|TSO4' ifconfig xnb0 # no super-frames without
	shows 'TXCSUM_IPV6' ifconfig xnb0
	run ifconfig xnb0 txcsum -txcsum6
	hides 'TXCSUM_IPV6|TSO6' ifconfig xnb0
	run ifconfig xnb0 txcsum6 -tso
	hides 'TSO' ifconfig xnb0
	run ifconfig xnb0 tso rate 125000/1000
	shows 'TSO4,TSO6' ifconfig xnb0
	run ifconfig xnb0 -rate
	refused 'BYTES/MICROSECONDS' ifconfig xnb0 rate 5
	port_release
	coaxd_stop
}

atf_test_case sysctls
sysctls_head()
{
	about 60 "dump_rings shows all rings; unit_test_results; read-only"
}
sysctls_body()
{
	lab_or_here
	coaxd_start
	ports 2
	# Not connected: nothing to show.
	shows '^dev.xnb.0.dump_rings: $' sysctl dev.xnb.0.dump_rings
	example ring-sink sink.out -t 60 xnb1
	wait_for 'grep -q ready sink.out'
	port_hold xnb0 -q 2
	sysctl dev.xnb.0.dump_rings >rings.out
	[ "$(grep -c '^queue ' rings.out)" -eq 2 ] || fail "$(cat rings.out)"
	[ "$(grep -c '^req_cons ' rings.out)" -eq 2 ]
	! grep -E -- '-[0-9]|0x' rings.out || fail "not unsigned"
	port_release
	# The counters are statistics of traffic.
	shows '^sent 300$' "$COAX_BUILD/examples/ring-generator" -c 300 xnb0
	wait_for '[ "$(sysctl -n dev.xnb.1.dump_rings |
	    sed -n "s/^rsp_prod_pvt *[0-9]* *//p")" = 300 ]'
	for lib_v in dump_rings unit_test_results; do
		refused 'is read only' sysctl "dev.xnb.0.$lib_v=1"
	done
	: >coaxd.err
	shows '^[0-9]* Tests Passed$' sysctl -n dev.xnb.1.unit_test_results
	hides 'FAILED' sysctl -n dev.xnb.1.unit_test_results
	# Errors that the suite simulates are in the log (here: standard error).
	grep -q 'xnb unit test .*: the front end is cut off' coaxd.err ||
	    fail "nothing in the log"
	# It disturbed nobody.
	[ "$(field xnb1 drops_total)" -eq 0 ]
	hides 'unit_test_results' sysctl -a
	shows 'dev.xnb.1.dump_rings' sysctl -a
	shows 'Backend Virtual Network Device xnb1' sysctl dev.xnb.1
	coaxd_stop
}

# scenario NAME A B: what port_helper does with two ports on one bridge.
scenario()
{
	atf_check -s exit:0 -o ignore -e empty \
	    "$COAX_BUILD/tests/system/port_helper" "$@"
}

# between_two_ports SCENARIO
between_two_ports()
{
	lab_or_here
	coaxd_start
	quiet
	ports 2
	run ifconfig bridge0 mtu 65521 # and its members
	scenario "$1" xnb0 xnb1
	# Nothing was left in between.
	[ "$(sysctl -n coax.pool.large_free)" -eq \
	    "$(sysctl -n coax.pool.large_total)" ] || fail "frames are missing"
	coaxd_stop
}

atf_test_case sizes
sizes_head()
{
	about 60 "Frames of 14 to 65535 bytes arrive whole, over all wraps"
}
sizes_body()
{
	between_two_ports sizes
}

atf_test_case waiting
waiting_head()
{
	about 60 "Polling, waiting for a time and until a signal; arguments"
}
waiting_body()
{
	between_two_ports waiting
}

atf_test_case descriptor
descriptor_head()
{
	about 60 "The descriptor is readable when there is something, no longer"
}
descriptor_body()
{
	between_two_ports descriptor
}

atf_test_case offloads
offloads_head()
{
	about 60 "Sums left out and super-frames arrive so, with their record"
}
offloads_body()
{
	between_two_ports offloads
}

atf_test_case no_offloads
no_offloads_head()
{
	about 60 "A port that takes no offloads gets segments with sums"
}
no_offloads_body()
{
	between_two_ports no_offloads
}

atf_test_case records
records_head()
{
	about 60 "A sum inside a tunnel is made; wrong records are refused"
}
records_body()
{
	between_two_ports records
}

atf_test_case back_pressure
back_pressure_head()
{
	about 60 "A full ring is said to be full, and goes on"
}
back_pressure_body()
{
	between_two_ports back_pressure
}

atf_test_case queues
queues_head()
{
	about 60 "Four queues, a thread each: flows are spread and in order"
}
queues_body()
{
	between_two_ports queues
}

atf_test_case daemon_restarted
daemon_restarted_head()
{
	about 120 "A port connects again after the daemon's end, by itself"
}
daemon_restarted_body()
{
	lab_or_here
	coaxd_start
	ports 2
	rm -f port.in
	mkfifo port.in
	"$COAX_BUILD/tests/system/port_helper" survive xnb0 xnb1 \
	    <port.in >port.out 2>port.err &
	port_pid=$!
	exec 8>port.in
	wait_for 'grep -q ready port.out'
	for lib_i in kill term; do
		wait_for '[ "$(field xnb1 counters.opackets)" -gt 100 ]'
		case $lib_i in
		kill)
			kill -KILL "$coaxd_pid"
			wait "$coaxd_pid" 2>/dev/null
			;;
		term)
			coaxd_stop
			;;
		esac
		coaxd_start 8>&-
		# The interfaces were made by the program, or by us: it may
		# have been first.
		run ifconfig bridge0 create up
		wait_for 'ifconfig xnb0 && ifconfig xnb1'
		run ifconfig xnb0 up
		run ifconfig xnb1 up
		run ifconfig bridge0 addm xnb0 addm xnb1
	done
	wait_for '[ "$(field xnb1 counters.opackets)" -gt 100 ]'
	exec 8>&-
	wait "$port_pid" || fail "$(cat port.err)"
	cat port.out
	grep -q 'connects 3$' port.out || fail "$(cat port.out)"
	coaxd_stop
}

atf_test_case mute_daemon
mute_daemon_head()
{
	about 120 "Who listens and does not answer holds no call up"
}
mute_daemon_body()
{
	lab_or_here
	coaxd_start
	rm -f port.in
	mkfifo port.in
	"$COAX_BUILD/tests/system/port_helper" mute xnb0 \
	    <port.in >port.out 2>port.err &
	port_pid=$!
	exec 8>port.in
	wait_for 'grep -q ready port.out || ! kill -0 "$port_pid"'
	kill -KILL "$coaxd_pid"
	wait "$coaxd_pid" 2>/dev/null
	echo gone >&8
	wait_for 'grep -q mute port.out || ! kill -0 "$port_pid"'
	grep -q mute port.out || fail "$(cat port.err)"
	coaxd_start 8>&-
	wait "$port_pid" || fail "$(cat port.err)"
	exec 8>&-
	coaxd_stop
}

atf_test_case restarted_with_its_configuration
restarted_with_its_configuration_head()
{
	about 120 "A daemon that comes back loses what was on its way, no more"
}
restarted_with_its_configuration_body()
{
	lab_or_here
	coaxd_start
	ports 2
	run ifconfig xnb0 persist rate 1000000/1000
	run ifconfig xnb1 persist
	atf_check -o save:rc.conf coax export
	rm -f port.in
	mkfifo port.in
	"$COAX_BUILD/tests/system/port_helper" survive xnb0 xnb1 \
	    <port.in >port.out 2>port.err &
	port_pid=$!
	exec 8>port.in
	wait_for 'grep -q ready port.out'
	for lib_i in 1 2 3; do
		wait_for '[ "$(field xnb1 counters.opackets)" -gt 100 ]'
		kill -KILL "$coaxd_pid"
		wait "$coaxd_pid" 2>/dev/null
		coaxd_start -f rc.conf 8>&-
	done
	wait_for '[ "$(field xnb1 counters.opackets)" -gt 100 ]'
	exec 8>&-
	wait "$port_pid" || fail "$(cat port.err)"
	cat port.out
	grep -q 'repeated 0 connects 4$' port.out || fail "$(cat port.out)"
	# It sends one and waits for one, so that this is on its way.
	lost=$(sed -n 's/.* lost \([0-9]*\) .*/\1/p' port.out)
	[ "$lost" -le 6 ] || fail "$(cat port.out)"
	atf_check -o file:rc.conf coax export
	coaxd_stop
}

atf_test_case checksums
checksums_head()
{
	about 60 "Sums that a front end left out are right on a tap (tshark)"
}
checksums_body()
{
	command -v tshark >/dev/null || atf_skip "there is no tshark"
	lab_or_here
	coaxd_start
	quiet
	ports 1
	run ifconfig tap0 create up
	run ifconfig bridge0 addm tap0
	"$COAX_BUILD/tests/system/port_helper" checksums xnb0 tap0 sums.pcap \
	    >sums.out 2>sums.err || fail "$(cat sums.err)"
	sum_frames() # DISPLAY-FILTER
	{
		tshark -r sums.pcap -o ip.check_checksum:TRUE \
		    -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
		    -Y "$1" -T fields -e frame.number 2>tshark.err | wc -l
	}
	lib_want=$(cat sums.out)
	lib_got="tcp $(sum_frames 'tcp.checksum.status == 1')"
	lib_got="$lib_got udp $(sum_frames 'udp.checksum.status == 1')"
	[ "$lib_got" = "$lib_want" ] ||
	    fail "good sums: $lib_got, of $lib_want; $(cat tshark.err)"
	[ "$(sum_frames 'ip.checksum.status == 0 ||
	    tcp.checksum.status == 0 || udp.checksum.status == 0')" -eq 0 ] ||
	    fail "there are wrong sums"
	[ "$(sum_frames 'udp.checksum == 0')" -eq 0 ] || fail "UDP: no sum"
	[ "$(field xnb0 drops_total)" -eq 0 ]
	coaxd_stop
}

# receive_datagrams FILE COUNT: what comes to 192.0.2.2 and 2001:db8::2, port
# 4712: one line each.
receive_datagrams()
{
	/usr/bin/python3 - "$2" >"$1" 2>"$1.err" <<'END' &
import select, socket, sys
socks = []
for family, address in ((socket.AF_INET, "192.0.2.2"),
                        (socket.AF_INET6, "2001:db8::2")):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind((address, 4712))
    socks.append(s)
print("ready", flush=True)
for _ in range(int(sys.argv[1])):
    ready = select.select(socks, [], [], 15)[0]
    if not ready:
        break
    data, peer = ready[0].recvfrom(2000)
    print(len(data), peer[0], flush=True)
END
	receiver_pid=$!
	wait_for "grep -q ready $1"
}

atf_test_case host_and_program
host_and_program_head()
{
	about 60 "A program and the host, back to back: the host takes its sums"
}
host_and_program_body()
{
	lab
	need_host
	coaxd_start
	run ifconfig xnb0 create persist up
	run ip address add 192.0.2.2/24 dev xnb0
	run ip -6 address add 2001:db8::2/64 dev xnb0 nodad
	receive_datagrams got.out 20
	run "$COAX_BUILD/tests/system/port_helper" datagrams xnb0 \
	    "$(mac xnb0)" 20
	wait "$receiver_pid" || fail "$(cat got.out.err)"
	[ "$(grep -c '^100 192.0.2.1$' got.out)" -eq 10 ] || fail "$(cat got.out)"
	[ "$(grep -c '^100 2001:db8::1$' got.out)" -eq 10 ] || fail "$(cat got.out)"
	# And what the host says reaches the program.
	example ring-sink sink.out -c 1 xnb0
	wait_for 'grep -q ready sink.out'
	ping -c 1 -W 1 192.0.2.7 >/dev/null 2>&1 # an ARP request at least
	wait "$example_pid" || fail "$(cat sink.out.err)"
	coaxd_stop
}

atf_test_case routed
routed_head()
{
	about 60 "Routed by the host from one front end to another network"
}
routed_body()
{
	lab
	need_host
	coaxd_start
	# The program is 192.0.2.1 on xnb0; its packets go to 192.0.2.2, which
	# is behind the host, in the vnet "far".
	run coax vnet create far
	run ifconfig xnb0 create persist up
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 vnet far up
	echo 1 >/proc/sys/net/ipv4/ip_forward
	for lib_f in /proc/sys/net/ipv4/conf/*/rp_filter; do
		echo 0 >"$lib_f"
	done
	run ip address add 192.0.2.65/26 dev xnb0
	run ip address add 198.51.100.1/24 dev feth0
	run ip route add 192.0.2.2/32 via 198.51.100.2 dev feth0
	run coax jexec far ip address add 198.51.100.2/24 dev feth1
	run coax jexec far ip address add 192.0.2.2/32 dev feth1
	run coax jexec far ip route add default via 198.51.100.1
	run coax jexec far ip link set lo up
	coax jexec far /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.2", 4712))
s.settimeout(15)
print("ready", flush=True)
for _ in range(10):
    data, peer = s.recvfrom(2000)
    print(len(data), peer[0], flush=True)
' >far.out 2>far.err &
	receiver_pid=$!
	wait_for 'grep -q ready far.out'
	run "$COAX_BUILD/tests/system/port_helper" datagrams xnb0 \
	    "$(mac xnb0)" 20
	wait "$receiver_pid" || fail "$(cat far.err)"
	[ "$(grep -c '^100 192.0.2.1$' far.out)" -eq 10 ] || fail "$(cat far.out)"
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case checksums
	atf_add_test_case host_and_program
	atf_add_test_case routed
	atf_add_test_case sizes
	atf_add_test_case waiting
	atf_add_test_case descriptor
	atf_add_test_case offloads
	atf_add_test_case no_offloads
	atf_add_test_case records
	atf_add_test_case back_pressure
	atf_add_test_case queues
	atf_add_test_case daemon_restarted
	atf_add_test_case mute_daemon
	atf_add_test_case restarted_with_its_configuration
	atf_add_test_case configured_by_ifconfig
	atf_add_test_case sysctls
	atf_add_test_case between_programs
	atf_add_test_case lifetime
}
