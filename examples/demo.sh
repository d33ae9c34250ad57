#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: demo.sh [BUILD]
#
# What coax is for, in half a minute: three network stacks (vnets) on one coax
# bridge, talking IPv4 and IPv6. Runs in a lab of its own and leaves nothing
# behind. Where no network stack can be had at all, the same bridge is shown
# with taps and feths alone.
#
# Every line printed as a result was checked: the exit status is 0 only if all
# of it worked.
set -eu

die() {
	echo "demo: $*" >&2
	exit 1
}

title() {
	printf '\n== %s\n' "$*"
}

# Text for people, folded to the width of a terminal.
say() {
	printf '%s\n' "$*" | fold -s -w 78 | sed 's/ *$//'
}

# A command, shown and run.
run() {
	echo "   \$ $*"
	"$@" || die "that failed"
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	end=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -le "$end" ] || return 1
		# The condition decides; this only spares the processor.
		sleep 0.02
	done
}

# The average round trip of "ping -q", in microseconds.
round_trip() {
	awk -F/ '/^(rtt|round-trip)/ { printf "%d", $5 * 1000 }'
}

ping_ok() { # VNET ADDRESS
	out=$(jexec "$1" ping -q -c 5 -i 0.1 -W 2 "$2") ||
	    die "$1 cannot ping $2"
	printf '   %-5s -> %-13s 5 of 5 answered, %4d us on average\n' \
	    "$1" "$2" "$(printf '%s\n' "$out" | round_trip)"
}

has_no_tentative() { # VNET
	[ -z "$(jexec "$1" ip -6 address show tentative)" ]
}

listens() { # VNET
	[ -n "$(jexec "$1" ss -Hltn 'sport = :5201')" ]
}

throughput() { # CLIENT SERVER ADDRESS WHAT
	jexec "$2" timeout 20 iperf3 -s -1 >/dev/null 2>&1 &
	server=$!
	wait_for 10 listens "$2" || die "iperf3 does not listen in $2"
	out=$(jexec "$1" timeout 20 iperf3 -f m -t 2 -c "$3" 2>&1) ||
	    die "iperf3 from $1 to $2 failed: $out"
	wait "$server" || die "iperf3 in $2 failed"
	rate=$(printf '%s\n' "$out" |
	    awk '/receiver/ { for (i = 1; i < NF; i++)
		if ($(i + 1) == "Mbits/sec") print $i }')
	[ -n "$rate" ] || die "iperf3 said nothing of a rate"
	awk -v what="$4" -v rate="$rate" -v from="$1" -v to="$2" 'BEGIN {
	    if (rate <= 0) exit 1
	    printf "   %-4s  %s -> %s  %6.2f Gbit/s\n",
		what, from, to, rate / 1000 }' || die "no data crossed"
}

# --- three stacks on a bridge (inside the lab) --------------------------------

demo_vnets() {
	title "1. Three network stacks and a switch"
	say "A vnet is a network stack of its own (on Linux: a network \
namespace). A vether is a card whose other end is the stack's. Each vnet gets \
one, and the three are ports of bridge0, a learning switch in the coaxd process."
	run ifconfig bridge0 create up
	unit=0
	for vnet in red green blue; do
		unit=$((unit + 1))
		run coax vnet create "$vnet"
		run ifconfig "vether$unit" create
		run ifconfig bridge0 addm "vether$unit"
		run ifconfig "vether$unit" vnet "$vnet"
		run jexec "$vnet" ifconfig "vether$unit" \
		    inet "192.0.2.$unit/24" up
		run jexec "$vnet" ifconfig "vether$unit" \
		    inet6 "2001:db8::$unit" prefixlen 64
	done

	title "2. Everybody reaches everybody"
	say "The kernels of the three stacks resolve addresses by ARP and \
neighbour discovery, through the bridge. An IPv6 address first has to prove \
that nobody else has it."
	for vnet in red green blue; do
		wait_for 10 has_no_tentative "$vnet" ||
		    die "the IPv6 address of $vnet stays tentative"
	done
	ping_ok red 192.0.2.2
	ping_ok green 192.0.2.3
	ping_ok blue 192.0.2.1
	ping_ok red 2001:db8::2
	ping_ok green 2001:db8::3
	ping_ok blue 2001:db8::1

	title "3. How fast (iperf3, one TCP stream, two seconds each)"
	say "Checksums are left to whoever is last and segments stay together, \
so what crosses the bridge are frames of up to 64 KiB."
	throughput red green 192.0.2.2 IPv4
	throughput blue green 2001:db8::2 IPv6

	title "4. What the bridge has learned"
	say "One line an address: the port it was seen on, and the seconds until \
it is forgotten."
	echo "   \$ ifconfig bridge0 addr"
	table=$(ifconfig bridge0 addr) || die "no address table"
	printf '%s\n' "$table" | sed 's/^/   /'
	for port in vether1 vether2 vether3; do
		printf '%s\n' "$table" | grep -q " $port " ||
		    die "nothing was learned on $port"
	done

	title "5. No frame is lost without a reason"
	say "Two private ports of a bridge may not talk to each other. red and \
blue become private, and red cannot reach blue any more, but still green:"
	run ifconfig bridge0 private vether1 private vether3
	if jexec red ping -q -c 1 -W 1 192.0.2.3 >/dev/null; then
		die "a private port was reached"
	fi
	echo "   red   -> 192.0.2.3     no answer, as it should be"
	ping_ok red 192.0.2.2
	say "And every frame that did not arrive is accounted for:"
	echo "   \$ coax drops"
	table=$(coax drops) || die "no table of drops"
	printf '%s\n' "$table"
	printf '%s\n' "$table" | grep -q private ||
	    die "the drops of private ports are not in the table"

	title "6. Counters, as BSD has them"
	echo "   \$ jexec red ifconfig -v vether1"
	table=$(jexec red ifconfig -v vether1) || die "no counters"
	printf '%s\n' "$table"
	printf '%s\n' "$table" | grep -q 'ipackets [1-9]' ||
	    die "the counters have counted nothing"
}

# --- without a host: taps and feths alone -------------------------------------

demo_taps() {
	title "1. Two switches, a wire, and two cards that are descriptors"
	say "A tap is a network card that is a file descriptor: what a program \
writes to it arrives at the switch. A feth is a wire. Frames will go"
	echo
	echo "      program -- tap0 [bridge0] feth0 ==== feth1 [bridge1] tap1 -- program"
	echo
	run ifconfig feth0 create
	run ifconfig feth1 create
	run ifconfig feth0 peer feth1 up
	run ifconfig feth1 up
	for n in 0 1; do
		run ifconfig "tap$n" create up
		run ifconfig "bridge$n" create
		run ifconfig "bridge$n" addm "tap$n" addm "feth$n" up
	done

	title "2. A thousand frames there, and a thousand back"
	/usr/bin/python3 - "$BUILD/libcoax.so" <<'PY' || die "frames were lost"
import ctypes, os, select, sys

lib = ctypes.CDLL(sys.argv[1])
name = ctypes.create_string_buffer(16)
taps = [lib.coax_tap_open(b"tap%d" % n, name) for n in (0, 1)]
if min(taps) < 0:
    sys.exit("cannot open the taps: " + os.strerror(-min(taps)))
mac = [b"\x02\0\0\0\0\x0a", b"\x02\0\0\0\0\x0b"]


def receive(fd, want):
    """The next frame that is @want, within five seconds."""
    while select.select([fd], [], [], 5)[0]:
        frame = os.read(fd, 65536)
        if frame == want:
            return
    sys.exit("a frame did not arrive")


for i in range(1000):
    for a, b in ((0, 1), (1, 0)):
        frame = mac[b] + mac[a] + b"\x88\xb5" + b"frame %d " % i * 9
        os.write(taps[a], frame)
        receive(taps[b], frame)
print("   2000 frames sent, 2000 arrived unchanged")
PY

	title "3. What the bridges have learned"
	for n in 0 1; do
		echo "   \$ ifconfig bridge$n addr"
		table=$(ifconfig "bridge$n" addr) || die "no address table"
		printf '%s\n' "$table" | sed 's/^/   /'
		for port in "tap$n" "feth$n"; do
			printf '%s\n' "$table" | grep -q " $port " ||
			    die "nothing was learned on $port"
		done
	done

	title "4. Counters, and frames that went nowhere"
	echo "   \$ ifconfig -v feth0"
	table=$(ifconfig -v feth0) || die "no counters"
	printf '%s\n' "$table"
	printf '%s\n' "$table" | grep -q 'ipackets [1-9]' ||
	    die "the counters have counted nothing"
	echo "   \$ coax drops"
	table=$(coax drops) || die "no table of drops"
	printf '%s\n' "$table"
}

# --- where ---------------------------------------------------------------------

has_host() {
	coax status | grep -q '^host side: yes'
}

device_open_to_all() {
	case $(stat -c %a /dev/net/tun) in
	*[67]) ;;
	*) return 1 ;;
	esac
}

inside_lab() {
	has_host || return 3 # without a network stack: back outside
	if [ "$(readlink /proc/self/ns/user)" != "$DEMO_USERNS" ] &&
	    { [ "$DEMO_UID" != 0 ] || device_open_to_all; }; then
		say "Where this runs: in a user namespace of its own, rootless: no \
right that an ordinary user does not have is used. The device /dev/net/tun is \
open to ordinary users here (mode $(stat -c %a /dev/net/tun))."
	elif [ "$(readlink /proc/self/ns/user)" != "$DEMO_USERNS" ]; then
		say "Where this runs: in a user namespace of its own, but with one \
right of root's: /dev/net/tun is closed to other users here (mode \
$(stat -c %a /dev/net/tun))."
	else
		say "Where this runs: in network namespaces of its own, as root \
(user namespaces are not in use here)."
	fi
	demo_vnets
}

# A daemon in a directory of its own, and no namespaces.
plain() {
	dir=$(mktemp -d)
	COAX_SOCKET=$dir/coax.sock
	PATH=$BUILD/compat:$BUILD:$PATH
	export COAX_SOCKET PATH
	"$BUILD/coaxd" 2>"$dir/log" &
	daemon=$!
	# shellcheck disable=SC2064 # the values of now
	trap "kill $daemon 2>/dev/null || :; wait $daemon 2>/dev/null || :;
	    rm -rf '$dir'" EXIT
	trap 'exit 1' HUP INT PIPE TERM
	wait_for 10 grep -q 'coaxd: ready' "$dir/log" ||
	    die "coaxd did not start: $(cat "$dir/log")"
	say "Where this runs: without any network stack, with taps and feths \
alone. $DEMO_WHY"
	ifconfig -a >/dev/null || die "the daemon does not answer"
	sysctl -q net.link.host_attach=0 >/dev/null || :
	demo_taps
}

if [ "${1:-}" = --inside ]; then
	BUILD=$2
	inside_lab
	exit 0
fi

BUILD=$(cd "${1:-build}" && pwd) || die "no build directory ${1:-build}"
for program in coax coaxd; do
	[ -x "$BUILD/$program" ] || die "$BUILD/$program is not built"
done
self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
DEMO_USERNS=$(readlink /proc/self/ns/user)
DEMO_UID=$(id -u)
export DEMO_USERNS DEMO_UID
start=$(date +%s)

echo "coax: Ethernet in user space"
status=3
if [ "${DEMO_PLAIN:-}" != "" ]; then
	DEMO_WHY="DEMO_PLAIN is set."
elif ! why=$("$BUILD/coax" lab -- true 2>&1) || [ -n "$why" ]; then
	DEMO_WHY=$(printf '%s' "$why" | sed 's/^coaxd*: /(/; s/$/)/')
else
	status=0
	"$BUILD/coax" lab -- "$self" --inside "$BUILD" || status=$?
	DEMO_WHY="The daemon has no host side in a lab here."
fi
if [ "$status" = 3 ]; then
	(plain)
	status=$?
fi
[ "$status" = 0 ] || exit "$status"
printf '\nAll of it worked, in %d seconds. Nothing is left behind.\n' \
    "$(($(date +%s) - start))"
say "To try it by hand: $BUILD/coax lab"
