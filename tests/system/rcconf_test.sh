#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# Configurations: coaxd -f, coax apply, coax export; the examples of
# if_bridge(4) as they are written there, with the cards that they name.
#
# shellcheck disable=SC2016,SC2034,SC2119,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

# cards NAME ...: lines that make cards of these names: one end of a wire each.
cards()
{
	n=0
	clones=
	names=
	for card; do
		clones="$clones feth$n"
		names="$names
ifconfig_feth${n}_name=\"$card\""
		n=$((n + 1))
	done
	printf 'cloned_interfaces="%s"%s\n' "${clones# }" "$names"
}

# as_it_was: the daemon exports what is in the file "before".
as_it_was()
{
	coax export >after || fail "no export"
	cmp -s before after || {
		diff before after >&2
		fail "something was changed"
	}
}

atf_test_case wireless_example
wireless_example_head()
{
	about 60 "if_bridge(4): wlan0 and fxp0 on a bridge, by rc.conf"
}
wireless_example_body()
{
	lab
	need_host
	cards wlan0 fxp0 >cards.conf
	cat >loader.conf <<'END'
if_bridge_load="YES"
bridgestp_load="YES"
END
	cat >rc.conf <<'END'
cloned_interfaces="${cloned_interfaces} bridge0"
ifconfig_bridge0="addm wlan0 addm fxp0 up"
create_args_wlan0="wlanmode hostap"
ifconfig_wlan0="up ssid my_ap mode 11g"
ifconfig_fxp0="up"
END
	coaxd_start -f loader.conf -f cards.conf -f rc.conf
	# One warning, whatever the number of words.
	atf_check -o inline:'1\n' grep -c 'no radio' coaxd.err
	atf_check -o ignore grep -q \
	    'wlan0: wlanmode, ssid, mode: recorded only' coaxd.err
	shows 'member: wlan0' ifconfig bridge0
	shows 'member: fxp0' ifconfig bridge0
	shows '<UP,' ifconfig bridge0
	shows 'ssid my_ap mode 11g wlanmode hostap' ifconfig wlan0
	shows '<UP,' ifconfig wlan0
	shows '<UP,' ifconfig fxp0
	# What comes in on one goes out of the other.
	run ifconfig feth2 create peer wlan0 up
	run ifconfig feth3 create peer fxp0 up
	capture_start feth3 seen
	run $lib_tool send feth2 "$(frame ff:ff:ff:ff:ff:ff \
	    02:00:00:00:00:01 88b5 hello)"
	marked "$(printf hello | od -An -tx1 | tr -d ' \n')" seen
	coaxd_stop
}

atf_test_case examples
examples_head()
{
	about 60 "The examples of if_bridge(4) as they stand there, card by card"
}
examples_body()
{
	lab
	need_host
	need_program udhcpc
	coaxd_start
	atf_check -o ignore sysctl net.link.host_dhcp_wait=1
	# The cards: a tap, and ends of wires.
	atf_check -o ignore ifconfig tap0 create name wlan0
	atf_check -o ignore ifconfig feth0 create name fxp0
	atf_check -o ignore ifconfig feth1 create name em0
	atf_check -o ignore ifconfig feth2 create name em1
	cat >loader.conf <<'END'
if_bridge_load="YES"
bridgestp_load="YES"
END
	run coax apply loader.conf
	# "will cause a bridge called bridge0 to be created"
	cat >rc.conf <<'END'
cloned_interfaces="bridge0"
ifconfig_bridge0="addm wlan0 addm fxp0 up"
END
	atf_check -o match:'^\+ifconfig_bridge0="addm wlan0 addm fxp0 up"$' \
	    coax apply loader.conf rc.conf
	hides '<UP,' ifconfig wlan0
	# "The above example would also require"
	cat >>rc.conf <<'END'
create_args_wlan0="wlanmode hostap"
ifconfig_wlan0="up ssid my_ap mode 11g"
ifconfig_fxp0="up"
END
	atf_check -o save:out -e match:'no radio' coax apply rc.conf
	atf_check -o match:'^\+ifconfig_fxp0="up"' cat out
	shows 'ssid my_ap mode 11g wlanmode hostap' ifconfig wlan0
	shows '<UP,' ifconfig wlan0
	shows 'member: fxp0' ifconfig bridge0
	run coax apply rc.conf
	# "configures an IPv6 link-local address on bridge0"
	if [ -e /proc/net/if_inet6 ]; then
		echo 'ifconfig_bridge0_ipv6="up"' >up.conf
		echo 'ifconfig_bridge0_ipv6="inet6 auto_linklocal"' >ll.conf
		atf_check -o not-empty coax apply up.conf
		wait_for "ip_has bridge0 'inet6 fe80::'"
		# "in a more explicit manner": it is the same.
		run coax apply ll.conf
	fi
	# "will receive its IP address through DHCP": of nobody here.
	run ifconfig bridge0 destroy
	cat >rc.conf <<'END'
cloned_interfaces="bridge0"
ifconfig_bridge0="addm em0 addm em1 DHCP"
ifconfig_em0="up"
ifconfig_em1="up"
END
	atf_check -o not-empty coax apply rc.conf
	shows 'member: em1' ifconfig bridge0
	shows '<UP,' ifconfig em0
	shows 'dhcp: asking' ifconfig bridge0
	run coax apply rc.conf
	# The host's routes are the host's.
	ip route >before
	echo 'defaultrouter="192.0.2.254"' >router.conf
	atf_check -o empty -e inline:'coax: router.conf:1: defaultrouter is left alone: routes are the host'"'"'s
' coax apply router.conf
	atf_check -o file:before ip route
	# What is no Ethernet is no member.
	atf_check -o inline:'lo1\n' ifconfig lo create
	refused 'BRDGADD lo1: Invalid argument' ifconfig bridge0 addm lo1
	coaxd_stop
}

atf_test_case apply
apply_head()
{
	about 60 "coax apply shows what changes, -n only shows, twice is once"
}
apply_body()
{
	lab
	need_host
	coaxd_start
	cards fxp0 >rc.conf
	cat >>rc.conf <<'END'
cloned_interfaces="${cloned_interfaces} bridge0"
ifconfig_bridge0="addm fxp0 up inet 192.0.2.1/24"
ifconfig_bridge0_alias0="inet6 2001:db8::1/64"
ifconfig_fxp0="up mtu 1400"
ifconfig_fxp0_descr="to the \"cellar\""
net.link.bridge.log_stp=1
END
	cat >want <<'END'
+net.link.bridge.log_stp=1
+cloned_interfaces="feth0 bridge0"
+ifconfig_feth0_name="fxp0"
+ifconfig_fxp0="mtu 1400 up"
+ifconfig_fxp0_descr="to the \"cellar\""
+ifconfig_bridge0="addm fxp0 mtu 1400 up inet 192.0.2.1/24"
+ifconfig_bridge0_alias0="inet6 2001:db8::1/64"
END
	atf_check -o file:want coax apply -n rc.conf
	atf_check -o inline:'\n' ifconfig -l
	atf_check -o file:want coax apply rc.conf
	shows 'inet 192.0.2.1 netmask 0xffffff00' ifconfig bridge0
	shows 'inet6 2001:db8::1 prefixlen 64' ifconfig bridge0
	shows 'mtu 1400' ifconfig fxp0
	atf_check -o match:192.0.2.1/24 ip -4 address show dev bridge0
	run coax apply rc.conf
	run coax apply -n rc.conf
	# From standard input, and an export is a configuration.
	atf_check -o save:before coax export
	run sh -c 'coax export | coax apply -'
	as_it_was
	echo 'ifconfig_fxp0="down"' >less
	atf_check -o inline:'-ifconfig_fxp0="mtu 1400 up"
+ifconfig_fxp0="mtu 1400"
' coax apply less
	refused 'usage: coax apply' coax apply
	refused 'No such file' coax apply nosuch
	refused 'Is a directory' coax apply .
	coaxd_stop
}

atf_test_case roundtrip
roundtrip_head()
{
	about 60 "An export makes an empty daemon the same, netdevs and all"
}
roundtrip_body()
{
	lab
	need_host
	coaxd_start
	run coax vnet create alice
	run ifconfig feth0 create peer feth1
	atf_check -o ignore ifconfig feth1 name em0
	run ifconfig em0.5 create up
	run ifconfig tap0 create mtu 9000
	run ifconfig vether0 create vnet alice up inet 192.0.2.7/24
	atf_check -o inline:"epair0a\n" ifconfig epair0 create -host
	atf_check -o ignore -e match:radio ifconfig feth0 ssid 'my ap'
	run ifconfig bridge0 create addm feth0 addm vether0 addm epair0a up
	run ifconfig bridge0 stp feth0 -learn epair0a \
	    static epair0a 02:00:00:00:00:09 vlan 7 inet 198.51.100.1/24
	run ifconfig bridge0 inet 198.51.100.2/24 alias
	run ifconfig -j alice bridge0 create maxaddr 5
	atf_check -o ignore ifconfig lo1 create inet 203.0.113.1/32 inet6 no_dad
	atf_check -o ignore ifconfig xnb0 create persist
	run ifconfig sock0 create listen "unix:$PWD/wire" vnethdr 12
	run ifconfig feth0 impair out loss 5% delay 3ms seed 7
	atf_check -o ignore sysctl net.link.bridge.log_stp=1
	atf_check -o save:before coax export
	coaxd_stop
	coaxd_start
	atf_check -o ignore -e match:radio coax apply before
	as_it_was
	atf_check -o match:'inet 192.0.2.7/24' \
	    coax jexec alice ip address show dev vether0
	atf_check -o match:'inet 198.51.100.2/24' ip address show dev bridge0
	coaxd_stop
	coaxd_start -f before
	as_it_was
	coaxd_stop
}

atf_test_case ipv6
ipv6_head()
{
	about 60 "ifconfig_IF_ipv6 gives a link-local address, and what it says"
}
ipv6_body()
{
	lab
	need_host
	[ -e /proc/net/if_inet6 ] || skip "no IPv6"
	coaxd_start
	cat >rc.conf <<'END'
cloned_interfaces="bridge0 feth0"
ifconfig_bridge0="up"
ifconfig_bridge0_ipv6="up"
ifconfig_feth0_ipv6="inet6 accept_rtadv no_radr"
ifconfig_feth0_alias0="inet6 2001:db8::1-2/64"
END
	atf_check -o ignore coax apply rc.conf
	wait_for "ip_has bridge0 'inet6 fe80::'"
	wait_for "ip_has feth0 'inet6 fe80::'"
	atf_check -o match:2001:db8::2/64 ip -6 address show dev feth0
	atf_check -o inline:'2\n' cat /proc/sys/net/ipv6/conf/feth0/accept_ra
	atf_check -o empty coax apply rc.conf
	atf_check -o save:before coax export
	atf_check -o match:'^ifconfig_bridge0_ipv6="inet6 auto_linklocal"' \
	    -o match:'^ifconfig_feth0_ipv6="inet6 accept_rtadv no_radr"' \
	    cat before
	# What is taken back is the kernel's own setting again.
	cat /proc/sys/net/ipv6/conf/bridge0/accept_ra_defrtr >was
	cat >bad.conf <<'END'
ifconfig_bridge0="inet6 no_radr"
ifconfig_bridge0_alias0="inet6 ff02::1/64"
END
	refused 'bad.conf:2: ' coax apply bad.conf
	as_it_was
	atf_check -o file:was cat \
	    /proc/sys/net/ipv6/conf/bridge0/accept_ra_defrtr
	coaxd_stop
}

ip_has()
{
	ip -6 address show dev "$1" | grep -q "$2"
}

atf_test_case bad_files
bad_files_head()
{
	about 60 "What is wrong is said with file and line; nothing is touched"
}
bad_files_body()
{
	lab_or_here
	coaxd_start
	run ifconfig feth0 create
	atf_check -o save:before coax export
	cat >rc.conf <<'END'
cloned_interfaces="bridge0 feth1"
ifconfig_bridge0="addm feth1 \
    addm feth0 ad feth0"
ifconfig_feth0="mtu 99999"
cloned_interface="x"
END
	cat >want <<'END'
coax: rc.conf:3: ifconfig_bridge0: bridge0: ad: bad value (no word of bridge interfaces; did you mean "add"?)
coax: rc.conf:4: ifconfig_feth0: feth0: ioctl SIOCSIFMTU (set mtu): Invalid argument (the mtu of feth0 is from 72 to 16370)
coax: rc.conf:5: cloned_interface: no such variable; is it cloned_interfaces?
END
	atf_check -s exit:1 -e file:want coax apply rc.conf
	as_it_was
	atf_check -s exit:1 -e file:want coax apply -n rc.conf
	# Ten megabytes: of nothing, of errors, of one line, of bytes.
	head -c 10485760 /dev/zero >zeros
	head -c 10485760 /dev/urandom >random
	yes 'no such line' | head -c 10485760 >lines
	{ printf 'ifconfig_feth0="'; yes 'up' | head -c 10485760
	    echo '"'; } >words
	{ printf 'cloned_interfaces="'; seq -f 'feth%.0f' 1000000 |
	    head -c 10485760; echo '"'; } >clones
	for f in zeros random lines words clones; do
		atf_check -s exit:1 -e match:"coax: $f:[0-9]*: " coax apply "$f"
		as_it_was
	done
	head -c 20000000 /dev/zero >zeros
	refused 'larger than a configuration' coax apply zeros
	as_it_was
	# Who may only look may not apply, but export.
	export COAX_SOCKET="${COAX_SOCKET%.sock}-ro.sock"
	refused 'Operation not permitted' coax apply before
	as_it_was
	export COAX_SOCKET="${COAX_SOCKET%-ro.sock}.sock"
	coaxd_stop
}

atf_test_case system_refuses
system_refuses_head()
{
	about 60 "What the host refuses amid a configuration is all taken back"
}
system_refuses_body()
{
	lab
	need_host
	coaxd_start
	run ifconfig feth0 create up inet 192.0.2.1/24
	run ifconfig feth1 create
	run ifconfig bridge0 create addm feth0 up
	atf_check -o save:before coax export
	# An address that the kernel does not take: found out only there.
	cat >rc.conf <<'END'
vnets="alice"
cloned_interfaces="tap3"
ifconfig_tap3_name="lan"
ifconfig_feth1_name="card"
ifconfig_bridge0="deletem feth0 addm lan addm card mtu 1600 vlanfilter"
ifconfig_feth0="inet 203.0.113.1/24"
ifconfig_card="vnet alice"
net.link.bridge.log_stp=1
ifconfig_bridge0_alias0="inet6 ff02::1/64"
END
	refused 'rc.conf:9: ifconfig_bridge0_alias0: bridge0: ' \
	    coax apply rc.conf
	as_it_was
	atf_check -o match:192.0.2.1/24 ip address show dev feth0
	atf_check -o not-match:alice coax vnet list
	atf_check -s exit:1 -e ignore ip link show dev card
	# A name that the host has: that is known before.
	ip link add tap3 type veth peer name x || ip link add tap3 type dummy
	refused 'rc.conf:2: cloned_interfaces: tap3: .*File exists' \
	    coax apply rc.conf
	as_it_was
	coaxd_stop
}

atf_test_case start
start_head()
{
	about 60 "coaxd -f: ready when it is done, or 1 and nothing remains"
}
start_body()
{
	lab_or_here
	cards em0 >rc.conf
	coaxd_start -f rc.conf
	shows '^em0$' ifconfig -l
	coaxd_stop
	echo 'ifconfig_em1="up"' >>rc.conf
	atf_check -s exit:1 -e match:'coaxd: rc.conf:3: ifconfig_em1: there is' \
	    "$COAX_BUILD/coaxd" -S "$COAX_SOCKET" -f rc.conf
	atf_check -s exit:1 -e match:'coaxd: rc.conf:3: ifconfig_em1: there is' \
	    "$COAX_BUILD/coaxd" -d -S "$COAX_SOCKET" -f rc.conf
	atf_check -s exit:1 -e match:'coaxd: nosuch: No such file' \
	    "$COAX_BUILD/coaxd" -S "$COAX_SOCKET" -f nosuch
	[ ! -e "$COAX_SOCKET" ] || fail "a socket was left behind"
	cards em0 >rc.conf
	atf_check "$COAX_BUILD/coaxd" -d -S "$COAX_SOCKET" -f - <rc.conf
	shows '^em0$' ifconfig -l
	coaxd_pid=$(coax rpc daemon.info | tool get pid)
	kill -TERM "$coaxd_pid"
	wait_for '! kill -0 "$coaxd_pid"'
}

atf_test_case two_clients
two_clients_head()
{
	about 60 "Two clients reconfigure one bridge at once: each as a whole"
}
two_clients_body()
{
	lab_or_here
	coaxd_start
	run ifconfig bridge0 create
	for i in 0 1 2 3; do
		run ifconfig "feth$i" create
	done
	# Each sets a pair of settings that belong together.
	echo 'ifconfig_bridge0="maxaddr 11 timeout 11 addm feth0 addm feth1"' >a
	echo 'ifconfig_bridge0="maxaddr 22 timeout 22 addm feth2 addm feth3"' >b
	for f in a b; do
		(
			for i in $(seq 40); do
				coax apply "$f" >/dev/null || exit 1
				[ $((i % 5)) -ne 0 ] || ifconfig bridge0 \
				    deletem feth0 deletem feth3 2>/dev/null
			done
			:
		) &
		eval "pid_$f=\$!"
	done
	(
		for i in $(seq 80); do
			ifconfig bridge0 | sed -n \
			    's/.* maxaddr \([0-9]*\) timeout \([0-9]*\)/\1 \2/p'
		done
	) >pairs
	wait "$pid_a" || fail "a was refused"
	wait "$pid_b" || fail "b was refused"
	atf_check -s exit:1 grep -vE '^(2000 1200|11 11|22 22)$' pairs
	atf_check -o ignore coax apply a
	shows 'maxaddr 11 timeout 11' ifconfig bridge0
	for i in 0 1; do
		shows "member: feth$i" ifconfig bridge0
	done
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case wireless_example
	atf_add_test_case examples
	atf_add_test_case apply
	atf_add_test_case roundtrip
	atf_add_test_case ipv6
	atf_add_test_case bad_files
	atf_add_test_case system_refuses
	atf_add_test_case start
	atf_add_test_case two_clients
}
