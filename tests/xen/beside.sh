# shellcheck shell=dash
# SPDX-License-Identifier: BSD-2-Clause
# coaxd's back end and the kernel's beside each other: in one boot, with the same
# guests, in turn. At the end a line for each kind of sample and back end, with
# all samples in order, and the ratios of the medians.
#
#	tests/xen/rig run --script tests/xen/beside.sh --timeout 300
#
# RIG_TURNS     which, how often; default "coax kernel coax kernel coax kernel".
#               NAME is another build, packed as coaxd-NAME.
# RIG_SAMPLES   of each kind in a turn (1)
# RIG_IPERF_S   seconds of a sample (3), in the middle of a stream
# RIG_COUNTERS  =1: interrupts, retransmissions, what coaxd's loop did
# --pack /usr/bin/perf, of the kernel's version: a profile of dom0 in each turn

turns=${RIG_TURNS:-coax kernel coax kernel coax kernel}

vif_up() { # I: a new vif for guest I, which has none
	xl network-attach "g$1" "mac=00:16:3e:77:00:0$1" bridge=br0 \
	    "script=$(vif_script)" || return 1
	guest_connected "$1" || return 1
	wait_for 20 guest "$1" "ip link set eth0 up" || return 1
	guest "$1" "ip addr add $(guest_ip "$1")/24 dev eth0"
}
vif_down() { # I
	_p=$(backend_path "$1")
	xl network-detach "g$1" 0 || return 1
	wait_for 20 _gone "$_p"
	wait_for 20 guest "$1" "test ! -e /sys/class/net/eth0"
}
back_end_begin() { # coax | kernel
	RIG_KERNEL_NETBACK=0
	[ "$1" != kernel ] || {
		RIG_KERNEL_NETBACK=1
		while read -r m; do
			lsmod | grep -q "^$(echo "${m%.ko*}" | tr - _) " ||
			    insmod "/mods-netback/$m" || return 1
		done </mods-netback/order
	}
	export RIG_COAXD=/rig/coaxd
	[ ! -x "/rig/coaxd-$1" ] || RIG_COAXD=/rig/coaxd-$1
	backend_start
}
back_end_end() { # the same
	if [ "$1" = kernel ]; then
		rmmod xen_netback || return 1
		ip link set br0 down
		brctl delbr br0
		return
	fi
	# shellcheck disable=SC2154 # backend_start's
	kill "$backend_pid"
	wait "$backend_pid"
}

# What the guest and dom0 have counted: interrupts of the vif; voluntary and
# other context switches and ticks (user, system) of the back end.
counters() {
	for i in 1 2; do
		guest "$i" "awk '/vif/ { printf \"%s=%s \", \$NF, \$2 }' \
/proc/interrupts; awk '/^Tcp:/ { r = \$13 } END { print \"retrans=\" r }' \
/proc/net/snmp" >/run/rig/counters
		rig_say "guest $i: $(cat /run/rig/counters)"
	done
	[ "$RIG_KERNEL_NETBACK" = 1 ] || {
		rig_say "coaxd: $(awk '/ctxt/ { printf "%s ", $2 }' \
		    "/proc/$backend_pid/status")$(awk '{ print $14, $15 }' \
		    "/proc/$backend_pid/stat") $(coax rpc daemon.info |
		    tr -d ' \n' | grep -o '"loop":{[^}]*}')"
	}
}

# Where dom0 is while guest 1 sends to guest 2: functions by themselves, and with
# what they call. A hypercall's time is its caller's.
profile() {
	echo 0 >/proc/sys/kernel/kptr_restrict
	guest_begin 1 "iperf3 -c $(guest_ip 2) -t 6 | tail -n 4"
	sleep 2
	/rig/perf record -q -a -g -e cpu-clock -F 499 -o /run/rig/perf.data \
	    -- sleep 3 >/dev/null 2>&1
	guest_end 40
	for _o in --no-children --children; do
		echo "---- profile, $turn, $_o"
		/rig/perf report -i /run/rig/perf.data --stdio "$_o" -g none \
		    --percent-limit 0.7 --sort comm,sym 2>/dev/null |
		    grep -v '^#' | grep . | head -n 60
	done
}

# Seconds of processor of dom0 and the guests so far.
cpus() { xl list | awk '/^(Domain-0|g[12]) / { printf "%s ", $NF }'; }

# sample KIND OPTIONS: from guest 1; adds a line "KIND BACKEND VALUE CPU CPU
# CPU". The processors' time is that of the seconds in the middle, in which dom0
# has nothing else to do.
sample() {
	_s=${RIG_IPERF_S:-3}
	set -- "$1" "iperf3 -c $(guest_ip 2) -t $((_s + 2)) -f k $2"
	guest_begin 1 "$2 | tail -n 4"
	sleep 1
	_c0=$(cpus)
	sleep "$_s"
	_c1=$(cpus)
	guest_end 40 >/run/rig/iperf || return 1
	_v=$(awk '/receiver/ { for (i = 2; i <= NF; i++)
		if ($i ~ /bits\/sec/) v = $(i - 1) } END { print v }' \
	    /run/rig/iperf)
	[ -n "$_v" ] || return 1
	[ "$1" != udp ] || _v=$(awk "BEGIN { print int($_v * 1000 / 8 / 64) }")
	# shellcheck disable=SC2086 # lists of numbers
	set -- "$1" $_c0 $_c1
	awk "BEGIN { printf \"%s %s %s %.1f %.1f %.1f\n\", \"$1\", \"$turn\", $_v,
	    $5 - $2, $6 - $3, $7 - $4 }" >>/run/rig/samples
	rig_say "$(tail -n 1 /run/rig/samples)"
}

turn() { # coax | kernel | another build's name
	turn=$1
	back_end_begin "$turn" || return 1
	if [ -e /run/rig/g1 ]; then
		vif_up 1 && vif_up 2 || return 1
	else
		guests_create || return 1
		iperf_serve 2 || return 1
	fi
	wait_for 30 guest_ping 1 "$(guest_ip 2)" || return 1
	for _ in $(seq 1 "${RIG_SAMPLES:-1}"); do
		sample tcp "" && sample tcp-back -R &&
		    sample udp "-u -b 0 -l 64" || return 1
	done
	[ -z "${RIG_COUNTERS:-}" ] || counters
	[ ! -x /rig/perf ] || profile
	vif_down 1 && vif_down 2 || return 1
	back_end_end "$turn"
}

for t in $turns; do
	turn "$t" || { rig_fail "turn of $t"; exit 1; }
	rig_ok "turn of $t"
done

# The samples of each kind and back end, in kbit/s or packets/s; in brackets the
# seconds of processor of dom0, guest 1 and guest 2.
awk '{
	k = $1 " " $2
	if (!(k in n))
		order[++kinds] = k
	v[k, ++n[k]] = $3
	all[k] = all[k] " " $3 " (" $4 " " $5 " " $6 ")"
} END {
	for (i = 1; i <= kinds; i++) {
		k = order[i]
		for (a = 1; a <= n[k]; a++)
			for (b = a + 1; b <= n[k]; b++)
				if (v[k, b] < v[k, a]) {
					t = v[k, a]
					v[k, a] = v[k, b]
					v[k, b] = t
				}
		m[k] = (v[k, int((n[k] + 1) / 2)] + v[k, int(n[k] / 2) + 1]) / 2
		print "RIG: " k ":" all[k] ", median " m[k]
	}
	for (i = 1; i <= kinds; i++) {
		split(order[i], w, " ")
		if (w[2] != "kernel" && m[w[1] " kernel"] > 0)
			printf "RIG: %s: %s / kernel = %.2f\n", w[1], w[2],
			    m[order[i]] / m[w[1] " kernel"]
	}
}' /run/rig/samples
for i in 1 2; do
	rig_try "guest $i destroyed" xl destroy "g$i"
done
