# shellcheck shell=dash
# SPDX-License-Identifier: BSD-2-Clause
# What takes longer on Xen: offloads, sizes, routing, hot plugs, ends under load,
# a back end that is killed, two queues, a hostile front end. With
# RIG_PARTS="offloads mtu" only those.

part() { # NAME: is it to be run?
	case " ${RIG_PARTS:-$1} " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}
ours() { [ "$RIG_KERNEL_NETBACK" != 1 ]; }

rig_try "back end started" backend_start || exit 1
guests_create || exit 1
iperf_serve 2

# --- figures, offloads ------------------------------------------------------

figures() {
	iperf "TCP from guest 1 to guest 2" 1 "$(guest_ip 2)" ""
	iperf "TCP from guest 2 to guest 1" 1 "$(guest_ip 2)" -R
	iperf "TCP over IPv6" 1 "$(guest_ip6 2)" ""
	iperf "UDP of 64 bytes" 1 "$(guest_ip 2)" "-u -b 0 -l 64"
}
! part figures || figures

offloads() { # on | off, in both guests
	for i in 1 2; do
		guest $i "ethtool -K eth0 tx $1 sg $1 tso $1 gso $1 gro $1"
	done
	# Of the sums netfront gives up IPv6's alone.
	guest 1 "ethtool -k eth0" >/run/rig/offloads
	grep -q "tx-checksum-ipv6: $1" /run/rig/offloads &&
	    grep -q "^scatter-gather: $1" /run/rig/offloads &&
	    grep -q "^tcp-segmentation-offload: $1" /run/rig/offloads
}
if part offloads; then
	rig_try "offloads off" offloads off
	rig_try "... ping" guest_ping 1 "$(guest_ip 2)"
	rig_try "... ping of 3000 bytes" guest_ping 1 "$(guest_ip 2)" -s 3000
	iperf "... TCP without offloads" 1 "$(guest_ip 2)" ""
	iperf "... TCP over IPv6 without offloads" 1 "$(guest_ip6 2)" -R
	rig_try "offloads on" offloads on
	iperf "... TCP with offloads" 1 "$(guest_ip 2)" ""
fi

# --- MTU --------------------------------------------------------------------

vif_of() {
	if ours; then echo "xnb$(domid "$1").0"; else echo "vif$(domid "$1").0"; fi
}
set_mtu() { # MTU
	if ours; then
		coax ifconfig br0 mtu "$1" || return 1
	else
		ip link set "$(vif_of 1)" mtu "$1"
		ip link set "$(vif_of 2)" mtu "$1"
	fi
	guest 1 "ip link set eth0 mtu $1" && guest 2 "ip link set eth0 mtu $1"
}
if part mtu; then
	rig_try "MTU 9000" set_mtu 9000
	rig_try "... ping of 8972 bytes" guest_ping 1 "$(guest_ip 2)" -s 8972
	iperf "... TCP" 1 "$(guest_ip 2)" ""
	rig_try "... offloads off" offloads off
	iperf "... TCP without offloads" 1 "$(guest_ip 2)" ""
	offloads on
	rig_try "MTU 1500" set_mtu 1500
fi

# --- two queues -------------------------------------------------------------

two_queues() {
	RIG_GUEST_VCPUS=2 guest_create 3 || return 1
	guest_connected 3 || return 1
	guest 3 "test -e /tmp/eth0.up; ls -d /sys/class/net/eth0/queues/tx-1" ||
	    return 1
	if ours; then
		coax --json xen | grep -q '"queues": 2' || return 1
	fi
	guest_ping 3 "$(guest_ip 2)" || return 1
	iperf "TCP, two queues, four flows" 3 "$(guest_ip 2)" "-P 4"
	guest_destroyed 3
}
! part queues || rig_try "two queues" two_queues

# --- hot plugs --------------------------------------------------------------

if part plugs; then
	n=1
	while [ $n -le "${RIG_PLUGS:-20}" ]; do
		rig_try "hot plug $n" hot_plug 1 $((n % 10))
		n=$((n + 1))
	done
	# A script that does not report: the guest is faster than the toolstack.
	silent() { RIG_VIF_SCRIPT=/bin/true hot_plug 1 1; }
	! ours || rig_try "hot plug, with a script that is silent" silent
fi

# --- the front end goes and comes -------------------------------------------

reload() {
	guest 2 "killall iperf3; echo vif-0 >/sys/bus/xen/drivers/vif/unbind" ||
	    return 1
	wait_state "$(backend_path 2)" 6 || return 1
	# Bound again, it begins from the beginning.
	guest 2 "xenstore-write device/vif/0/state 1" || return 1
	wait_state "$(backend_path 2)" 2 || return 1
	guest 2 "echo vif-0 >/sys/bus/xen/drivers/vif/bind" || return 1
	guest_connected 2 || return 1
	wait_for 20 guest 2 "ip link set eth0 up" || return 1
	guest 2 "ip addr add $(guest_ip 2)/24 dev eth0; iperf3 -s -D" || return 1
	guest_ping 1 "$(guest_ip 2)"
}
! part reload || rig_try "driver unbound and bound" reload

# --- a back end that is killed ----------------------------------------------

killed() {
	iperf_begin 30 || return 1
	kill -9 "$backend_pid"
	wait "$backend_pid"
	coaxd_start || return 1
	coax ifconfig bridge create name br0 || return 1
	coax ifconfig br0 addm "$(vif_of 1)" addm "$(vif_of 2)" up || return 1
	guest_connected 1 && guest_connected 2 || return 1
	wait_for 30 guest_ping 1 "$(guest_ip 2)" || return 1
	# The stream goes on: nobody's connection was lost.
	wait_for 60 guest 1 "grep -q receiver /tmp/iperf.out" || return 1
	guest 1 "tail -n 4 /tmp/iperf.out"
	backend_alive
}
if part killed && ours; then
	for n in $(seq 1 "${RIG_KILLS:-3}"); do
		rig_try "killed under load $n" killed
	done
fi

# --- a hostile front end ----------------------------------------------------

hostile() {
	xl network-attach g1 mac=00:16:3e:77:09:01 bridge=br0 \
	    "script=$(vif_script)" || return 1
	guest_connected 1 1 || return 1
	guest 1 "echo vif-1 >/sys/bus/xen/drivers/vif/unbind" || return 1
	guest 1 "/rig/hostile 1 ${RIG_HOSTILE_S:-20}" 120 >/run/rig/hostile ||
	    { cat /run/rig/hostile; return 1; }
	rig_say "$(tail -n 1 /run/rig/hostile)"
	coax drops "xnb$(domid 1).1"
	guest_ping 2 "$(guest_ip 1)" && backend_alive || return 1
	xl network-detach g1 1
	wait_for 20 _gone "$(backend_path 1 1)"
}
if part hostile && ours; then
	rig_try "hostile front end" hostile
fi

# --- routed -----------------------------------------------------------------

routed() {
	for i in 1 2; do
		if ours; then
			coax ifconfig br0 deletem "$(vif_of $i)" || return 1
		else
			brctl delif br0 "$(vif_of $i)" || return 1
		fi
		ip link set "$(vif_of $i)" up
		ip addr add 10.78.$i.1/24 dev "$(vif_of $i)" || return 1
		guest $i "ip addr add 10.78.$i.2/24 dev eth0; \
ip route add 10.78.0.0/16 via 10.78.$i.1" || return 1
	done
	echo 1 >/proc/sys/net/ipv4/ip_forward
	guest_ping 1 10.78.2.2 || return 1
	guest 2 "killall iperf3"
	iperf_serve 2 || return 1
	iperf "TCP, routed by dom0" 1 10.78.2.2 ""
	iperf "TCP, routed by dom0, the other way" 1 10.78.2.2 -R
	# As it was.
	for i in 1 2; do
		ip addr del 10.78.$i.1/24 dev "$(vif_of $i)"
		if ours; then
			coax ifconfig br0 addm "$(vif_of $i)" || return 1
		else
			brctl addif br0 "$(vif_of $i)" || return 1
		fi
	done
	wait_for 30 guest_ping 1 "$(guest_ip 2)"
}
! part routed || rig_try "routed through host addresses" routed

# --- the end, under load ----------------------------------------------------

rig_try "a stream begins" iperf_begin 60
rig_try "guest 2 destroyed under load" guest_destroyed 2
rig_try "guest 1 destroyed" guest_destroyed 1
none_left() { ! coax ifconfig -l | grep -q xnb; }
! ours || rig_try "interfaces are gone" none_left
rig_try "back end alive" backend_alive
