# shellcheck shell=dash
# SPDX-License-Identifier: BSD-2-Clause
# Functions for dom0's scripts (busybox sh; sourced before the script).
#
# Guests are numbered 1..RIG_N; guest i has 10.77.0.(10+i) and fd77::(10+i),
# dom0 is 10.77.0.1 and fd77::1 on the bridge br0, which is coaxd's, or with
# RIG_KERNEL_NETBACK=1 the kernel's. A line "RIG: ... ok" or "RIG: ... FAIL" is
# a result; others that begin so are remarks.

rig_say()  { echo "RIG: $*"; }
rig_ok()   { echo "RIG: $* ok"; }
# The run fails, the script goes on.
rig_fail() { echo "RIG: $* FAIL"; : >/run/rig/failed; }
rig_try() { # NAME COMMAND...
	_n=$1
	shift
	if "$@"; then rig_ok "$_n"; else rig_fail "$_n"; return 1; fi
}

_cr=$(printf '\r')
rig_prefix() { # TEXT: before each line
	while IFS= read -r _l; do printf '%s%s\n' "$1" "${_l%"$_cr"}"; done
}

now() { cut -d. -f1 /proc/uptime; }

# wait_for SECONDS COMMAND...: until it succeeds. The command may itself wait.
wait_for() {
	local end
	end=$(($(now) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(now)" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# --- the back end -----------------------------------------------------------

backend_start() {
	if [ "$RIG_KERNEL_NETBACK" = 1 ]; then
		brctl addbr br0
	else
		coaxd_start || return 1
		coax ifconfig bridge create name br0 >/dev/null
		coax ifconfig br0 up
	fi
	echo 0 >/proc/sys/net/ipv6/conf/br0/accept_dad
	ip link set br0 up
	ip addr add 10.77.0.1/24 dev br0
	ip addr add fd77::1/64 dev br0
}

coaxd_start() {
	"${RIG_COAXD:-/rig/coaxd}" -v >>/run/rig/backend.log 2>&1 &
	backend_pid=$!
	wait_for 20 coax rpc ping
}

backend_alive() {
	[ "$RIG_KERNEL_NETBACK" = 1 ] || kill -0 "$backend_pid"
}

# --- guests -----------------------------------------------------------------

guest_ip()      { echo 10.77.0.$((10 + $1)); }
guest_ip6()     { echo fd77::$((10 + $1)); }
domid()         { cat "/run/rig/g$1"; }
backend_path()  { echo "/local/domain/0/backend/vif/$(domid "$1")/${2:-0}"; }
frontend_path() { echo "/local/domain/$(domid "$1")/device/vif/${2:-0}"; }

vif_script() {
	if [ "$RIG_KERNEL_NETBACK" = 1 ]; then
		echo /rig/vif-rig
	else
		echo "${RIG_VIF_SCRIPT:-/rig/vif-coax}"
	fi
}

# guest_create I [VIFSPEC]: xl create guest I with one vif.
guest_create() {
	_vif=${2:-mac=00:16:3e:77:00:$(printf %02x "$1"),bridge=br0}
	cat >"/run/rig/g$1.cfg" <<X
name="g$1"
type="pv"
kernel="/guest/vmlinux"
ramdisk="/guest/initrd"
memory=${RIG_GUEST_MEM:-176}
vcpus=${RIG_GUEST_VCPUS:-1}
extra="console=hvc0 quiet loglevel=4 panic=-1 mitigations=off apparmor=0 audit=0 rig_id=$1"
on_crash="destroy"
vif=['$_vif,script=$(vif_script)']
X
	xl create -q "/run/rig/g$1.cfg" || return 1
	xl domid "g$1" >"/run/rig/g$1" || return 1
	# One that is made again goes on in its log.
	[ ! -e "/run/rig/tail$1" ] || return 0
	: >"/run/rig/tail$1"
	(tail -n +1 -F "/var/log/xen/console/guest-g$1.log" 2>/dev/null |
	    rig_prefix "g$1| ") &
}

state_is()   { [ "$(xenstore-read "$1/state" 2>/dev/null)" = "$2" ]; }
wait_state() { wait_for "${3:-40}" state_is "$1" "$2"; } # PATH STATE [SECONDS]
guest_connected() { # I [HANDLE]
	wait_state "$(backend_path "$1" "${2:-0}")" 4 &&
	    wait_state "$(frontend_path "$1" "${2:-0}")" 4
}

# guest I COMMAND [SECONDS]: runs it in guest I through xenstore, so without a
# network; prints the output (at most 1800 bytes), returns the status; 124 after
# SECONDS (default 40).
guest() {
	guest_begin "$1" "$2" && guest_end "${3:-40}"
}
guest_begin() { # GUEST COMMAND
	_d=/local/domain/$(domid "$1")/data/rig
	_seq=$(cut -d' ' -f1 /proc/uptime)-$RANDOM
	wait_for 40 xenstore-exists "$_d/agent" || return 125
	xenstore-write "$_d/cmd" "$_seq $2"
}
guest_end() { # SECONDS: of the last that was begun
	wait_for "$1" _answered "$_d" "$_seq" || return 124
	xenstore-read -R "$_d/res" >/run/rig/res # -R: newlines as they are
	sed 1d /run/rig/res | grep . || :
	return "$(sed -n '1s/.* //p' /run/rig/res)"
}
_answered() {
	case $(xenstore-read "$1/res" 2>/dev/null) in
	"$2 "*) return 0 ;;
	esac
	return 1
}

guest_ready() { guest_connected "$1" && guest "$1" "test -e /tmp/eth0.up"; }

guests_create() {
	for i in $(seq 1 "$RIG_N"); do
		rig_try "guest $i created" guest_create "$i" || return 1
	done
	for i in $(seq 1 "$RIG_N"); do
		rig_try "guest $i connected" guest_connected "$i" || return 1
		wait_for 40 guest "$i" "test -e /tmp/eth0.up" || return 1
	done
}

# guest_ping I ADDRESS [OPTION...]
guest_ping() {
	_i=$1
	_a=$2
	shift 2
	guest "$_i" "ping -c 3 -i 0.2 -W 5 $* $_a"
}

# guest_destroyed I: the toolstack waits 10 s for the back end to let go, and
# complains if it does not.
guest_destroyed() {
	_p=$(backend_path "$1")
	xl destroy "g$1" 2>/run/rig/destroy.err
	! xenstore-exists "$_p" && [ ! -s /run/rig/destroy.err ] && return
	cat /run/rig/destroy.err
	return 1
}

hot_plug() { # GUEST N
	xl network-attach "g$1" "mac=00:16:3e:77:01:0$2" bridge=br0 \
	    "script=$(vif_script)" || return 1
	guest_connected "$1" 1 || return 1
	wait_for 20 guest "$1" "ip link set eth1 up" || return 1
	guest "$1" "cat /sys/class/net/eth1/carrier" | grep -q 1 || return 1
	_p=$(backend_path "$1" 1)
	xl network-detach "g$1" 1 || return 1
	wait_for 20 _gone "$_p" || return 1
	wait_for 20 guest "$1" "test ! -e /sys/class/net/eth1"
}
_gone() { ! xenstore-exists "$1"; }

# --- measuring --------------------------------------------------------------

# cpu_of NAME: seconds of processor time of a domain so far.
cpu_of() { xl list "$1" | awk 'NR == 2 { print $NF }'; }

# iperf_serve GUEST: a server there, and it listens (on port 5201).
iperf_serve() {
	guest "$1" "iperf3 -s -D" || return 1
	wait_for 20 guest "$1" "grep -q ':1451 .* 0A ' /proc/net/tcp*"
}

# iperf_begin SECONDS: a stream from guest 1 to guest 2 that has begun to flow;
# what it says is in guest 1's /tmp/iperf.out.
iperf_begin() {
	guest 1 "iperf3 --forceflush -c $(guest_ip 2) -t $1 >/tmp/iperf.out 2>&1 &"
	wait_for 30 guest 1 "grep -q bits/sec /tmp/iperf.out"
}

# iperf NAME FROM TO-ADDRESS OPTIONS: from guest FROM; prints what was received
# and the processor time of dom0 meanwhile.
iperf() {
	_s=${RIG_IPERF_S:-4}
	_c0=$(cpu_of Domain-0)
	guest_begin "$2" "iperf3 -c $3 -t $_s -f m $4 | tail -n 4"
	sleep "$_s" # looking whether it is through is work for dom0
	if guest_end 40 >/run/rig/iperf; then
		_r=$(awk '/receiver/ {
			for (i = 1; i < NF; i++)
				if ($(i + 1) ~ /bits\/sec/) print $i, $(i + 1) }
			/datagrams|receiver/ && /%/ {
			for (i = 1; i <= NF; i++)
				if ($i ~ /\//) d = $i }
			END { if (d != "" && d !~ /bits/) print d, "lost" }' \
		    /run/rig/iperf | tr '\n' ' ')
		_c1=$(cpu_of Domain-0)
		rig_ok "$1: ${_r}dom0 $(awk "BEGIN{print $_c1 - $_c0}") s"
	else
		cat /run/rig/iperf
		rig_fail "$1"
	fi
}

rig_debug() {
	echo "---- xl list"
	xl list
	echo "---- xenstore (back ends, guests)"
	xenstore-ls -f /local/domain 2>/dev/null | grep -E '/vif/|/data/rig|error'
	echo "---- dom0's kernel"
	dmesg | sed '1,/Run .init as init/d' | tail -n 15
	echo "---- xl dmesg"
	xl dmesg | tail -n 15
	[ "$RIG_KERNEL_NETBACK" = 1 ] || {
		echo "---- coax xen"
		coax xen
		coax drops
		echo "---- coaxd"
		tail -n 40 /run/rig/backend.log
	}
}
