#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# The control socket: requests, events, clients that misbehave, and the life
# of the daemon.
#
# shellcheck disable=SC2016,SC2034,SC2094,SC2119,SC2129,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

start()
{
	lab_or_here
	coaxd_start
}

# client SCENARIO [ARG ...]: a function of tool.py.
client()
{
	atf_check -o ignore -e ignore /usr/bin/python3 "$lib_dir/tool.py" "$@"
}

atf_test_case rpc_errors
rpc_errors_head()
{
	about 30 "What is no request gets an error object, and no harm is done"
}
rpc_errors_body()
{
	start
	client rpc_errors
	coaxd_stop
}

atf_test_case batches
batches_head()
{
	about 30 "A batch is answered as one, in order"
}
batches_body()
{
	start
	client rpc_batch
	coaxd_stop
}

atf_test_case read_only_socket
read_only_socket_head()
{
	about 30 "The read-only socket answers and refuses to change anything"
}
read_only_socket_body()
{
	start
	run ifconfig feth0 create
	client rpc_readonly "${COAX_SOCKET%.sock}-ro.sock"
	coax -S "${COAX_SOCKET%.sock}-ro.sock" ifconfig feth0 >out ||
	    fail "it does not show"
	refused 'permi' coax -S "${COAX_SOCKET%.sock}-ro.sock" ifconfig \
	    feth0 up
	hides '<UP' ifconfig feth0
	coaxd_stop
}

atf_test_case missing_directory
missing_directory_head()
{
	about 30 "The directory of the default socket is made, no other"
}
missing_directory_body()
{
	lab_or_here
	refused 'No such file or directory' coaxd -S "$PWD/none/x.sock"
	COAX_SOCKET="$PWD/none/y.sock" refused 'No such file' coaxd
	: >file
	refused 'Not a directory' coaxd -S "$PWD/file/x.sock"
	[ ! -e none ] || fail "a directory was made"
	mkdir -m 0700 xdg
	export XDG_RUNTIME_DIR="$PWD/xdg"
	unset COAX_SOCKET
	atf_check -o empty -e ignore coaxd -d
	coaxd_pid=$(coax rpc daemon.info | tool get pid)
	COAX_SOCKET=$(coax rpc daemon.info | tool get socket)
	export COAX_SOCKET
	atf_check -o inline:'\n' coax ifconfig -l
	kill -TERM "$coaxd_pid"
	wait_for '! [ -e "$COAX_SOCKET" ]'
	coaxd_pid=
}

atf_test_case readers_memory
readers_memory_head()
{
	about 60 "A reader's batch of large answers takes no memory to speak of"
}
readers_memory_body()
{
	sanitized && atf_skip "the sanitizer keeps freed memory"
	start
	for i in $(seq 0 29); do
		run ifconfig "feth$((2 * i))" create peer "feth$((2 * i + 1))"
	done
	before=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$coaxd_pid/status")
	atf_check -o match:'^[1-9][0-9]* answered, [1-9][0-9]* refused$' \
	    /usr/bin/python3 - "${COAX_SOCKET%.sock}-ro.sock" <<'END'
import json, socket, sys

s = socket.socket(socket.AF_UNIX)
s.settimeout(50)
s.connect(sys.argv[1])
one = '{"jsonrpc":"2.0","id":1,"method":"iface.list"}'
s.sendall(("[" + ",".join([one] * 4096) + "]\n").encode())
answers = json.loads(s.makefile().readline())
ok = [a for a in answers if "result" in a]
bad = [a for a in answers if "error" in a]
assert len(ok) + len(bad) == 4096
assert all(a["error"]["data"]["errno"] == "EMSGSIZE" for a in bad)
print(f"{len(ok)} answered, {len(bad)} refused")
END
	after=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$coaxd_pid/status")
	[ $((after - before)) -lt 60000 ] ||
	    fail "memory went from $before to $after kB"
	coaxd_stop
}

atf_test_case readers_places
readers_places_head()
{
	about 60 "Idle readers, however many, leave the other socket alone"
}
readers_places_body()
{
	start
	rm -f hold.in
	mkfifo hold.in
	/usr/bin/python3 -c 'import socket, sys
held = []
for i in range(520):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    held.append(s)
print("ready", flush=True)
sys.stdin.read()' "${COAX_SOCKET%.sock}-ro.sock" <hold.in >hold.out &
	exec 8>hold.in
	wait_for 'grep -q ready hold.out'
	run ifconfig feth0 create
	refused 'too many clients' coax -S "${COAX_SOCKET%.sock}-ro.sock" \
	    ifconfig -l
	exec 8>&-
	wait $!
	wait_for 'coax -S "${COAX_SOCKET%.sock}-ro.sock" ifconfig -l'
	coaxd_stop
}

atf_test_case socket_modes
socket_modes_head()
{
	about 30 "0600 for the owner; with --group 0660 and that group"
}
socket_modes_body()
{
	start
	atf_check -o inline:'600\n' stat -c %a "$COAX_SOCKET"
	coaxd_stop
	coaxd_start --group "$(id -gn)"
	atf_check -o inline:"660 $(id -gn)\n" stat -c '%a %G' "$COAX_SOCKET"
	coaxd_stop
}

atf_test_case long_line
long_line_head()
{
	about 60 "A line of 100 MB ends that client and nobody else"
}
long_line_body()
{
	start
	before=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$coaxd_pid/status")
	client rpc_longline
	after=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$coaxd_pid/status")
	[ $((after - before)) -lt 20000 ] ||
	    fail "memory went from $before to $after kB"
	coaxd_stop
}

atf_test_case half_close
half_close_head()
{
	about 30 "A client that has only stopped sending gets its answers"
}
half_close_body()
{
	start
	client rpc_halfclose
	coaxd_stop
}

atf_test_case flood
flood_head()
{
	about 60 "A flood of requests does not keep others from their turn"
}
flood_body()
{
	start
	run ifconfig bridge0 create
	client rpc_flood
	coaxd_stop
}

atf_test_case slow_subscriber
slow_subscriber_head()
{
	about 60 "A subscriber that does not read is told its loss, or dropped"
}
slow_subscriber_body()
{
	start
	run ifconfig feth0 create
	client rpc_slow 3000
	coaxd_stop
}

atf_test_case events
events_head()
{
	about 30 "coax monitor --json: create, link, learned, destroy; with who"
}
events_body()
{
	start
	coax monitor --json >events.out 2>events.err &
	wait_for 'ifconfig tap99 create; ifconfig tap99 destroy;
	    [ -s events.out ]'
	coax monitor >text.out 2>text.err &
	taps
	tap_hold tap0
	tap_say write "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:01 88b5 x)"
	event()
	{
		wait_for "/usr/bin/python3 -c '
import json
v = [json.loads(x) for x in open(\"events.out\")]
assert [e for e in v if $1]'"
	}
	who="\"uid $(id -u) pid\" in e.get(\"cause\", \"\")"
	event "e[\"type\"] == \"create\" and e[\"iface\"] == \"tap0\" and $who"
	event 'e["type"] == "link" and e["iface"] == "tap0" and
	    e["link"] == "up"'
	event 'e["type"] == "learned" and e["iface"] == "bridge0" and
	    e["mac"] == "02:00:00:00:00:01"'
	event 'e["type"] == "change" and e["iface"] == "tap0" and
	    "flags" in e["changed"]'
	tap_release
	event 'e["type"] == "link" and e["iface"] == "tap0" and
	    e["link"] == "down"'
	run ifconfig tap1 destroy
	event "e[\"type\"] == \"destroy\" and e[\"iface\"] == \"tap1\" and $who"
	wait_for 'grep -q "tap1: destroy.*(uid" text.out'
	# One type alone.
	coax monitor --json destroy >one.out 2>one.err &
	wait_for 'ifconfig tap98 create; ifconfig tap98 destroy;
	    [ -s one.out ]'
	grep -qv '"destroy"' one.out && fail "$(cat one.out)"
	coaxd_stop
}

atf_test_case drop_events
drop_events_head()
{
	about 30 "Drops that begin to appear are an event"
}
drop_events_body()
{
	start
	coax monitor --json drops >events.out 2>events.err &
	taps
	tap_hold tap0
	wait_for 'echo "write 0011" >&9; grep -q runt events.out'
	grep '"runt"' events.out | grep -q '"tap0"' || fail "$(cat events.out)"
	tap_release
	coaxd_stop
}

atf_test_case second_daemon
second_daemon_head()
{
	about 30 "A second coaxd is refused; a stale socket is replaced"
}
second_daemon_body()
{
	start
	run ifconfig feth0 create
	refused 'another coaxd is running' coaxd -S "$COAX_SOCKET"
	shows '^feth0: ' ifconfig feth0
	kill -KILL "$coaxd_pid"
	wait "$coaxd_pid" || true
	[ -S "$COAX_SOCKET" ] || fail "no stale socket to replace"
	coaxd_start
	atf_check -o inline:'\n' ifconfig -l
	coaxd_stop
	# What is not a socket is left alone.
	echo precious >"$COAX_SOCKET"
	refused 'not a socket' coaxd -S "$COAX_SOCKET"
	atf_check -o inline:'precious\n' cat "$COAX_SOCKET"
}

atf_test_case sigkill
sigkill_head()
{
	about 60 "After SIGKILL nothing blocks a new start"
}
sigkill_body()
{
	lab
	need_host
	coaxd_start
	switch 2
	pings s1 192.0.2.2
	run ifconfig tap0 create up
	run ip tuntap add mine mode tap
	kill -KILL "$coaxd_pid"
	wait "$coaxd_pid" || true
	wait_for '! ip link show tap0'
	coaxd_start
	switch 2
	run ifconfig tap0 create up
	pings s1 192.0.2.2
	# What was not its own is still there.
	atf_check -o ignore ip link show mine
	coaxd_stop
}

atf_test_case sigterm
sigterm_head()
{
	about 60 "SIGTERM at any moment leaves nothing behind, in 3 seconds"
}
sigterm_body()
{
	lab
	need_host
	for n in 1 2 3; do
		coaxd_start
		run coax vnet create alice
		run ifconfig vether0 create vnet alice up
		# The other end of this goes when alice's namespace does.
		run coax jexec alice ip link add probe1 type veth \
		    peer name probe0 netns $$
		run ip link set probe0 up
		tap_hold
		# In the middle of a batch of work.
		(
			while ifconfig "feth0" create peer feth1 &&
			    ifconfig feth0 destroy &&
			    ifconfig feth1 destroy; do :; done
		) >busy.txt 2>&1 9>&- &
		wait_for 'ifconfig feth0'
		t=$(now_ms)
		coaxd_stop
		t=$(($(now_ms) - t))
		[ $t -lt 3500 ] || fail "it took $t ms"
		! readlink /proc/[0-9]*/exe | grep '/coaxd$' ||
		    fail "a process was left behind"
		wait_for '! ip link show probe0'
		tap_release
	done
}

atf_test_case detached
detached_head()
{
	about 30 "coaxd -d returns when it is ready, and ends by SIGTERM"
}
detached_body()
{
	lab_or_here
	atf_check -o empty -e ignore coaxd -d -S "$COAX_SOCKET"
	coax ifconfig -l >out || fail "it does not answer at once"
	coaxd_pid=$(coax rpc daemon.info | tool get pid)
	refused 'another coaxd' coaxd -d -S "$COAX_SOCKET"
	kill -TERM "$coaxd_pid"
	wait_for '! [ -e "$COAX_SOCKET" ]'
	coaxd_pid=
}

atf_test_case descriptors
descriptors_head()
{
	about 60 "Out of descriptors: refused and told; well again afterwards"
}
descriptors_body()
{
	lab_or_here
	coaxd_start
	# Enough for some clients.
	run prlimit --nofile=64:64 --pid "$coaxd_pid"
	client rpc_descriptors
	coaxd_stop
}

atf_test_case thousand_pairs
thousand_pairs_head()
{
	about 120 "1000 pairs of feths, made and destroyed in batches"
}
thousand_pairs_body()
{
	start
	client rpc_pairs 1000
	rss=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$coaxd_pid/status")
	[ "$rss" -gt 0 ] || fail "no memory figure"
	coaxd_stop
}

atf_test_case races
races_head()
{
	about 60 "destroy, create and destroy of one name, at once"
}
races_body()
{
	start
	client rpc_race
	coaxd_stop
}

atf_test_case stress
stress_head()
{
	about 60 "Clients that change the same few interfaces all at once"
}
stress_body()
{
	start
	client rpc_stress 1 3
	coaxd_stop
}

atf_test_case open_at_the_end
open_at_the_end_head()
{
	about 60 "SIGTERM while an open of a tap waits for its netdev"
}
open_at_the_end_body()
{
	start
	client rpc_last_open
	wait_for '! [ -e "$COAX_SOCKET" ]'
	wait "$coaxd_pid" || fail "coaxd ended with $?: $(tail coaxd.err)"
}

atf_test_case unit_of_the_host
unit_of_the_host_head()
{
	about 30 "A name that the host has is stepped over, not failed on"
}
unit_of_the_host_body()
{
	lab
	need_host
	coaxd_start
	run ip link add tap0 type veth peer name mine
	atf_check -o inline:'tap1\n' ifconfig tap create
	tap_hold
	[ "$tap_name" = tap2 ] || fail "it is $tap_name"
	tap_release
	refused 'File exists' ifconfig tap0 create
	run ip link del tap0
	run ifconfig tap1 destroy
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case rpc_errors
	atf_add_test_case batches
	atf_add_test_case read_only_socket
	atf_add_test_case missing_directory
	atf_add_test_case readers_memory
	atf_add_test_case readers_places
	atf_add_test_case socket_modes
	atf_add_test_case long_line
	atf_add_test_case half_close
	atf_add_test_case flood
	atf_add_test_case slow_subscriber
	atf_add_test_case events
	atf_add_test_case drop_events
	atf_add_test_case second_daemon
	atf_add_test_case sigkill
	atf_add_test_case sigterm
	atf_add_test_case detached
	atf_add_test_case descriptors
	atf_add_test_case thousand_pairs
	atf_add_test_case races
	atf_add_test_case stress
	atf_add_test_case open_at_the_end
	atf_add_test_case unit_of_the_host
}
