#!/usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# Programs that others wrote, as Debian has them, in vnets on a coax bridge.
# Those that come by /dev/net/tun or a descriptor are in shim_test.sh and
# sock_test.sh; man/coax-run.1 has the list of programs tried.
#
# shellcheck disable=SC2015,SC2016,SC2034,SC2086,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables; $inside is
# words)

. "$(atf_get_srcdir)/lib.subr"

# soon CONDITION: protocols have timers of their own.
soon()
{
	within 45000 "$1" || fail "not within 45 s: $1"
}

# client N: a vnet sN on the bridge with nothing but its link.
client()
{
	run coax vnet create "s$1"
	run ifconfig "vether$1" create vnet "s$1" up
	run ifconfig bridge0 addm "vether$1"
}

atf_test_case dhcp
dhcp_head()
{
	about 180 "dhclient and udhcpc get addresses from dnsmasq over a bridge"
}
dhcp_body()
{
	need_program dnsmasq dhclient udhcpc
	lab
	need_host
	coaxd_start
	switch 1
	dhcp_server
	client 2
	client 3
	# What a lease changes is the vnet's, not a file of the machine.
	cat >lease.sh <<'END'
#!/bin/sh
if [ -n "$new_ip_address" ]; then
	ip address replace "$new_ip_address/24" dev "$interface"
elif [ "$1" = bound ] || [ "$1" = renew ]; then
	ip address replace "$ip/24" dev "$interface"
fi
exit 0
END
	chmod +x lease.sh
	background dhclient in_vnet s2 dhclient -4 -d -1 -sf "$PWD/lease.sh" \
	    -lf "$PWD/dhclient.leases" -pf "$PWD/dhclient.pid" \
	    -cf /dev/null vether2
	background udhcpc in_vnet s3 udhcpc -f -q -n -i vether3 -t 40 -T 1 \
	    -s "$PWD/lease.sh"
	soon 'in_vnet s2 ip -4 address show | grep -q 192.0.2.[56]'
	soon 'in_vnet s3 ip -4 address show | grep -q 192.0.2.[56]'
	pings s2 192.0.2.1
	pings s3 192.0.2.1
	a=$(in_vnet s2 ip -4 -o address show dev vether2 | awk '{ print $4 }')
	pings s3 "${a%/24}"
	atf_check -o match:'^2$' sh -c 'wc -l <leases'
	kill "$http_pid" "$dnsmasq_pid"
	pid=$(cat dhclient.pid)
	kill "$pid" || true
	coaxd_stop
}

atf_test_case autoconfiguration
autoconfiguration_head()
{
	about 180 "radvd advertises a prefix, and a host makes its address of it"
}
autoconfiguration_body()
{
	need_program radvd
	lab
	need_host
	coaxd_start
	switch 1
	client 2
	run ifconfig vether1 inet6 auto_linklocal
	run ifconfig vether2 inet6 auto_linklocal accept_rtadv
	run coax jexec s1 sh -c \
	    'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	cat >radvd.conf <<'END'
interface vether1 {
	AdvSendAdvert on;
	MinRtrAdvInterval 3;
	MaxRtrAdvInterval 4;
	prefix 2001:db8:1::/64 { };
};
END
	chmod 0644 radvd.conf
	# It takes an interface only once its own address is no doubt.
	soon 'in_vnet s1 ip -6 address show dev vether1 scope link |
	    grep fe80: | grep -qv tentative'
	background radvd in_vnet s1 radvd -n -m stderr -C "$PWD/radvd.conf" \
	    -p "$PWD/radvd.pid"
	radvd_pid=$bg_pid
	soon 'in_vnet s2 ip -6 address show dev vether2 |
	    grep -q 2001:db8:1:'
	soon 'in_vnet s2 ip -6 route show default | grep -q fe80:'
	# Out of the prefix to the router's other address.
	run coax jexec s1 ip -6 address add 2001:db8:1::1/64 dev vether1 nodad
	pings s2 2001:db8:1::1
	kill "$radvd_pid"
	coaxd_stop
}

# neighbours N: whom lldpd in sN has heard.
neighbours()
{
	in_vnet "s$1" lldpcli -u "$PWD/lldpd$1.sock" show neighbors details
}

atf_test_case lldp
lldp_head()
{
	about 240 "lldpd: a bridge is no hub to it, until its group is forwarded"
}
lldp_body()
{
	need_program lldpd lldpcli
	[ "$(id -u)" -eq 0 ] || atf_skip "lldpd has to start as root"
	lab
	need_host
	coaxd_start
	switch 2
	mkdir -p /run/lldpd
	for i in 1 2; do
		background "lldpd$i" in_vnet "s$i" lldpd -d -u \
		    "$PWD/lldpd$i.sock" -I "vether$i" -S "station$i"
		wait_for "[ -S lldpd$i.sock ]"
		atf_check -o ignore -e ignore coax jexec "s$i" lldpcli -u \
		    "$PWD/lldpd$i.sock" configure lldp tx-interval 1
	done
	# It ends at the bridge, as 802.1D has it.
	before=$(field vether1 counters.imcasts)
	soon '[ "$(field vether1 counters.imcasts)" -ge '$((before + 3))' ]'
	neighbours 2 >n.out 2>&1
	! grep -q station1 n.out || fail "LLDP passed the bridge"
	run ifconfig bridge0 group-fwd vether1 14 forward \
	    group-fwd vether2 14 forward
	soon 'neighbours 1 | grep -q station2'
	soon 'neighbours 2 | grep -q station1'
	coaxd_stop
}

atf_test_case watched
watched_head()
{
	about 90 "tcpdump on a member sees what arping and iperf3 send through it"
}
watched_body()
{
	need_program tcpdump arping iperf3
	lab
	need_host
	coaxd_start
	switch 2
	run ifconfig feth0 create up
	run ifconfig feth1 create peer feth0 up
	run ifconfig bridge0 addm feth0
	background tcpdump tcpdump -l -n -e -i feth0 arp
	tcpdump_pid=$bg_pid
	wait_for 'grep -q listening tcpdump.out'
	atf_check -o match:'Received [1-9]|1 response|bytes from' -e ignore \
	    coax jexec s1 arping -c 2 -I vether1 192.0.2.2
	wait_for 'grep -q "who-has 192.0.2.2" tcpdump.out'
	kill -INT "$tcpdump_pid"
	background server in_vnet s2 iperf3 -s -1
	wait_for 'in_vnet s2 ss -Hltn | grep -q :5201'
	atf_check -o save:iperf.out -e ignore \
	    coax jexec s1 iperf3 -c 192.0.2.2 -n 20M -J
	bytes=$(/usr/bin/python3 -c 'import json
print(json.load(open("iperf.out"))["end"]["sum_received"]["bytes"])')
	[ "$bytes" -ge 15000000 ] || fail "iperf3 moved $bytes bytes"
	background server in_vnet s2 iperf3 -s -1
	wait_for 'in_vnet s2 ss -Hltn | grep -q :5201'
	atf_check -o match:'iperf Done' -e ignore \
	    coax jexec s1 iperf3 -6 -u -b 20M -n 2M -c 2001:db8::2
	coaxd_stop
}

atf_test_case odd_frames
odd_frames_head()
{
	about 120 "nmap and scapy send what they like: all is counted, nobody falls"
}
odd_frames_body()
{
	need_program nmap
	lab
	need_host
	coaxd_start
	switch 2
	run coax vnet create s3
	export NMAP_PRIVILEGED=1
	atf_check -o save:scan.out -e ignore coax jexec s1 nmap -n -PR -sn \
	    192.0.2.0/29
	grep -q '192.0.2.2' scan.out || fail "nmap has not found s2"
	background http coax jexec s2 /usr/bin/python3 -u -m http.server 8080
	http_pid=$bg_pid
	wait_for 'in_vnet s2 ss -Hltn | grep -q :8080'
	for scan in -sS -sN -sX -sA '-sS -f' '-sS --badsum'; do
		# shellcheck disable=SC2086 # options
		atf_check -o save:scan.out -e ignore coax jexec s1 nmap -n \
		    -Pn -p 8080 --max-retries 2 $scan 192.0.2.2
	done
	atf_check -o match:'8080/tcp open' -e ignore coax jexec s1 nmap -n \
	    -Pn -p 8080 -sT 192.0.2.2
	# Random bytes in every layer, and lengths that are wrong.
	cat >odd.py <<'END'
import random
from scapy.all import (ARP, Dot1Q, Ether, ICMP, IP, IPv6, LLC, Raw, SNAP, STP,
                       TCP, UDP, fuzz, raw)
import socket
random.seed(7)
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("vether1", 0))
to = "ff:ff:ff:ff:ff:ff"
shapes = [lambda: Ether(dst=to) / fuzz(IP() / UDP() / Raw(b"x" * 40)),
          lambda: Ether(dst=to) / fuzz(IP() / TCP()),
          lambda: Ether(dst=to) / fuzz(IPv6() / UDP()),
          lambda: Ether(dst=to) / fuzz(ARP()),
          lambda: Ether(dst=to) / Dot1Q(vlan=5) / Dot1Q(vlan=6) / fuzz(IP()),
          lambda: Ether(dst="01:80:c2:00:00:00") / LLC() / fuzz(STP()),
          lambda: Ether(dst=to) / LLC() / SNAP() / Raw(b"y" * 30),
          lambda: Ether(dst=to, type=random.randrange(65536)) /
          Raw(random.randbytes(random.randrange(1400)))]
sent = 0
for i in range(400):
    try:
        frame = raw(random.choice(shapes)())
    except Exception:  # a value that its own field does not take
        frame = raw(Ether(dst=to, type=i) / Raw(random.randbytes(46)))
    frame = frame[:6] + b"\x02\x00\x00\x00\x00\x77" + frame[12:1514]
    if random.random() < 0.2:
        frame = frame[:random.randrange(14, len(frame) + 1)]
    s.send(frame)
    sent += 1
print(sent)
END
	before=$(field vether1 counters.ipackets)
	atf_check -o inline:'400\n' -e ignore coax jexec s1 \
	    /usr/bin/python3 "$PWD/odd.py"
	wait_for '[ "$(field vether1 counters.ipackets)" -ge '$((before + 400))' ]'
	pings s1 192.0.2.2
	shows 02:00:00:00:00:77 ifconfig bridge0 addr
	kill "$http_pid"
	coaxd_stop
}

atf_test_case container
container_head()
{
	about 90 "A rootless container of its own root file system joins by its process"
}
container_body()
{
	# busybox is its whole system.
	[ -x /bin/busybox ] && ! ldd /bin/busybox >/dev/null 2>&1 ||
	    atf_skip "busybox-static is not installed"
	lab
	need_host
	coaxd_start
	switch 1
	mkdir -p root/bin root/proc root/dev
	cp /bin/busybox root/bin
	# Its own user, network, mount, host name, IPC and process namespaces.
	background container unshare -U -r -n -m -u -i -p -f --kill-child \
	    chroot root /bin/busybox sleep 1000
	wait_for "pgrep -P $bg_pid -x busybox"
	pid=$(pgrep -P "$bg_pid" -x busybox)
	inside="nsenter -t $pid -U -n -m -p -u -i --preserve-credentials"
	inside="$inside --root=$PWD/root"
	wait_for "$inside /bin/busybox true"
	run coax vnet attach box "$pid"
	run ifconfig vether9 create up
	run ifconfig bridge0 addm vether9
	run ifconfig vether9 vnet box
	run $inside /bin/busybox ip link set vether9 up
	run $inside /bin/busybox ip address add 192.0.2.9/24 dev vether9
	wait_for "$inside /bin/busybox ping -c 1 -W 1 192.0.2.1"
	pings s1 192.0.2.9
	background httpd $inside /bin/busybox httpd -f -p 8080 -h /bin
	wait_for 'coax jexec s1 /usr/bin/python3 -c "import urllib.request
urllib.request.urlretrieve(\"http://192.0.2.9:8080/busybox\", \"got\")"'
	cmp got root/bin/busybox || fail "the file came differently"
	# It ends: so does its vnet; the port remains.
	kill -KILL "$pid"
	wait_for '! coax vnet list | grep -q box'
	shows '^vether9' ifconfig vether9
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case dhcp
	atf_add_test_case autoconfiguration
	atf_add_test_case lldp
	atf_add_test_case watched
	atf_add_test_case odd_frames
	atf_add_test_case container
}
