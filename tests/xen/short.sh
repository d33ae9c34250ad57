# shellcheck shell=dash
# SPDX-License-Identifier: BSD-2-Clause
# What CI tests on Xen: two guests on one bridge of coaxd's (or, as reference, of
# the kernel's), a tap beside them, hot plugs, the end.

rig_try "back end started" backend_start || exit 1
guests_create || exit 1

# How it looks from the outside.
vif_of() { echo "xnb$(domid "$1").0"; }
appears() {
	coax xen
	coax xen | grep -q "^$(vif_of 1) .*served *Connected *Connected *1 *br0" &&
	    coax xen --json | grep -q '"mac": "00:16:3e:77:00:01"' &&
	    coax ifconfig br0 | grep -q "member: $(vif_of 1)" &&
	    coax sysctl -n dev.xnb.0.%desc | grep -q "$(vif_of 1)" &&
	    coax sysctl -n dev.xnb.1.%desc | grep -q "$(vif_of 2)" &&
	    ip link show "$(vif_of 1)" | grep -q fe:ff:ff:ff:ff:ff
}
[ "$RIG_KERNEL_NETBACK" = 1 ] || rig_try "interfaces appear" appears

rig_try "guest 1 pings guest 2" guest_ping 1 "$(guest_ip 2)"
rig_try "guest 2 pings guest 1, IPv6" guest_ping 2 "$(guest_ip6 1)" -6
rig_try "guest 1 pings dom0" guest_ping 1 10.77.0.1

iperf_serve 2
iperf "TCP from guest 1 to guest 2" 1 "$(guest_ip 2)" ""
iperf "TCP from guest 2 to guest 1" 1 "$(guest_ip 2)" -R

# Neighbours whose address nobody has: the bridge floods what is for them, and
# the tap gets it. Each datagram and each SYN leaves the guest without its sum.
# (xenstore-read escapes tabs and newlines: a command has none.)
talk_to_the_tap() {
	_to="lladdr 02:00:00:00:00:99 dev eth0"
	guest 1 "/rig/ip neigh replace 10.77.0.99 $_to" &&
	    guest 1 "/rig/ip neigh replace fd77::99 $_to" &&
	    guest 1 "traceroute -n -q 1 -w 1 -m 3 10.77.0.99" &&
	    guest 1 "traceroute6 -n -q 1 -w 1 -m 3 fd77::99"
	guest 1 "nc -w 1 10.77.0.99 99; nc -w 1 fd77::99 99"
	guest 1 "ping -c 2 -s 3000 -W 1 10.77.0.99"
}
sums_on_a_tap() {
	coax ifconfig tap0 create up || return 1
	coax ifconfig br0 addm tap0 || return 1
	/rig/record tap0 /run/rig/tap.pcap >/run/rig/record &
	_pid=$!
	wait_for 10 grep -q ready /run/rig/record || return 1
	talk_to_the_tap
	tcpdump -n -vv -r /run/rig/tap.pcap >/run/rig/tap.txt 2>/run/rig/tap.err
	kill $_pid
	_udp=$(grep -c 'udp sum ok' /run/rig/tap.txt)
	_tcp=$(grep -c 'Flags \[S\], cksum 0x[0-9a-f]* (correct)' \
	    /run/rig/tap.txt)
	rig_say "on the tap: $_udp datagrams, $_tcp segments with right sums"
	coax ifconfig tap0 destroy
	[ "$_udp" -ge 6 ] && [ "$_tcp" -ge 2 ] &&
	    ! grep -E 'incorrect|bad (udp )?cksum|wrong' /run/rig/tap.txt
}
[ "$RIG_KERNEL_NETBACK" = 1 ] ||
    rig_try "sums on a tap beside a guest" sums_on_a_tap

for n in 1 2 3; do
	rig_try "hot plug $n" hot_plug 1 $n
done

for i in $(seq 1 "$RIG_N"); do
	rig_try "guest $i destroyed" guest_destroyed "$i"
done
none_left() {
	! coax ifconfig -l | grep -q xnb && [ -z "$(coax sysctl -N dev.xnb)" ]
}
[ "$RIG_KERNEL_NETBACK" = 1 ] || rig_try "interfaces are gone" none_left
rig_try "back end alive" backend_alive
