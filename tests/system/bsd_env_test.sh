#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# coax bsd-env and the commands in it: what FreeBSD's test programs use.
#
# shellcheck disable=SC2016,SC2034,SC2119,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

# bsd: namespaces, a daemon, and the commands that come first in bsd-env.
bsd()
{
	lab
	need_host
	PATH=$COAX_BUILD/bsd-env:$PATH
	coaxd_start
}

# exits STATUS CMD ...: that status, whatever it prints.
exits()
{
	lib_status=$1
	shift
	atf_check -s exit:"$lib_status" -o ignore -e ignore "$@"
}

# What a FreeBSD test program does, in a program of our own.
program()
{
	cat >program.sh <<'END'
atf_test_case one cleanup
one_head()
{
	atf_set require.user root
}
one_body()
{
	[ "$(sysctl -i -n kern.features.vimage)" = 1 ] || atf_skip vimage
	kldstat -q -m if_epair || kldload -n -q if_epair || atf_skip epair
	ifname=$(ifconfig epair create)
	echo "$ifname" >>created
	jail -c name=one persist vnet vnet.interface="${ifname%a}b"
	atf_check -s exit:0 jexec one ifconfig "${ifname%a}b" 192.0.2.2/24 up
	atf_check -s exit:0 ifconfig "$ifname" 192.0.2.1/24 up
	atf_check -s exit:0 -o ignore ping -c 3 -t 5 192.0.2.2
	atf_check -s exit:0 jexec one ifconfig "${ifname%a}b" down
	atf_check -s exit:2 -o ignore ping -c 3 -t 1 192.0.2.2
}
one_cleanup()
{
	jail -r one
	while read -r ifname; do
		ifconfig "$ifname" destroy
	done <created
	ifconfig -l >left
}
atf_init_test_cases()
{
	atf_add_test_case one
}
END
}

# may_bsd: skip where there can be no such environment.
may_bsd()
{
	lib_unshare true 2>unshare.err ||
	    atf_skip "no namespaces here: $(cat unshare.err)"
	[ -x "$COAX_BUILD/coax" ] ||
	    atf_skip "$COAX_BUILD is closed to this user"
	need_host
	export COAX_SOCKET=/nonexistent/coax.sock
}

whole_environment()
{
	may_bsd
	program
	atf_check -o inline:'0\n' -e empty coax bsd-env -- id -u
	exits 7 coax bsd-env -- sh -c 'exit 7'
	exits 1 coax bsd-env -x
	script=$lib_dir/../../tools/bsd-env # not where only the tests are
	[ ! -x "$script" ] ||
	    exits 3 env BUILD="$COAX_BUILD" "$script" -- sh -c 'exit 3'
	coax bsd-env -- sh -c 'for c in ifconfig sysctl jail jls jexec \
	    kldload kldstat kldunload ping ping6 sed; do
		command -v $c; done' >where || fail "$(cat where)"
	atf_check -s exit:0 -o inline:'8\n' grep -c /bsd-env/ where
	atf_check -s exit:0 -o inline:'3\n' grep -c /compat/ where
	# The host asks more often than Linux does.
	shows '^net.link.host_retrans: 200$' \
	    coax bsd-env -- sysctl net.link.host_retrans
	atf_check -o match:' retrans 200 ' -e ignore coax bsd-env -- \
	    sh -c 'ifconfig epair create && ip ntable show dev epair0a'
	atf_check -o match:'^passed$' -e ignore \
	    coax bsd-env -- sh -c 'atf-sh program.sh one &&
	        atf-sh program.sh one:cleanup'
	atf_check -o inline:'\n' cat left
	# Nothing of it remains here.
	exits 1 ip link show epair0a
}

atf_test_case whole
whole_head()
{
	about 60 "A test program of FreeBSD's kind runs, as root"
	atf_set require.user root
}
whole_body()
{
	whole_environment
}

atf_test_case whole_rootless
whole_rootless_head()
{
	about 60 "The same as an ordinary user, who is root inside"
}
whole_rootless_body()
{
	ordinary
	whole_environment
}

atf_test_case jails
jails_head()
{
	about 60 "jail makes and removes vnets, with interfaces; jls lists them"
}
jails_body()
{
	bsd
	atf_check -o inline:'   JID  IP Address      Hostname                      Path\n' \
	    jls
	atf_check -o inline:'epair0a\n' ifconfig epair create
	atf_check -o inline:'epair1a\n' ifconfig epair create
	run ifconfig bridge0 create
	run jail -c name=one persist vnet vnet.interface=epair0b \
	    vnet.interface=epair1b,bridge0
	atf_check -o match:'epair0b' -o match:'epair1b' -o match:'bridge0' \
	    jexec one ifconfig -l
	# Bridge and member have moved together: the jail's own.
	run jexec one ifconfig bridge0 addm epair0b up
	shows '^     1  +one +/$' jls
	atf_check -o inline:'one 1 / true\n' jls name jid path persist
	atf_check -o inline:'1\n' jls -j one jid
	atf_check -o inline:'one\n' jls -j 1 name
	shows '^jid=1 name=one ' jls -n
	shows '^JID|^   JID  Hostname' jls -v
	shows '"name": "one"' jls --json
	refused 'jail "two" not found' jls -j two
	refused 'unknown parameter: colour' jls colour
	# By its number, with a user and a directory.
	atf_check -o inline:'/\n' jexec -d / 1 pwd
	shows 'epair0b' jexec 1 ifconfig -l
	refused 'jail "77" not found' jexec 77 true
	refused 'no such user' jexec -u nobody_at_all one true
	# More interfaces for one that exists.
	run ifconfig tap0 create
	run jail -m name=one vnet.interface=tap0
	shows 'tap0' jexec one ifconfig -l
	refused '"nope" not found' jail -m name=nope vnet.interface=tap0
	# A name is taken once; -cm takes what there is.
	refused 'jail "one" already exists' jail -c name=one persist vnet
	run jail -cm name=one persist vnet
	# Guests go home, natives end.
	atf_check -o inline:'epair2a\n' jexec one ifconfig epair2 create
	run jail -r one
	shows '^epair0b' ifconfig epair0b
	atf_check -o not-match:'epair2a' -o match:'tap0' ifconfig -l
	refused '"one" not found' jail -r one
	atf_check -s exit:1 -o empty -e empty jail -qr one
	# What cannot be whole is not at all.
	refused 'ifconfig nope vnet bad: failed' \
	    jail -c name=bad persist vnet vnet.interface=epair0b \
	    vnet.interface=nope
	hides bad jls
	wait_for 'ifconfig epair0b up'
	refused 'vnet is required' jail -c name=bad persist
	refused 'persist or command is required' jail -c name=bad vnet
	refused 'unknown parameter: vnte' jail -c name=bad persist vnte
	refused 'value required' jail -c name= persist vnet
	refused '^usage: ' jail -c -r x
	refused '^usage: ' jail -r
	refused '^usage: ' jail name=x
	refused '^usage: ' jls -x
	hides bad jls
	# A command: the jail lasts as long. Numbers are names.
	atf_check -o inline:'\n' jail -c vnet command=ifconfig -l
	refused 'false: failed' jail -c name=c vnet command=false
	refused 'no-such: No such file' jail -c name=c vnet command=no-such
	atf_check -o match:'^[0-9]+$' jail -i -c persist vnet path=/ \
	    host.hostname=x allow.raw_sockets children.max=3
	atf_check -o inline:'x: created\n' jail -vc -n x vnet persist
	run jail -r '*'
	atf_check -o inline:'1\n' sh -c 'jls | wc -l'
	coaxd_stop
}

atf_test_case jail_ends_its_processes
jail_ends_its_processes_head()
{
	about 60 "jail -r ends what runs in it"
}
jail_ends_its_processes_body()
{
	bsd
	run jail -c name=one persist vnet
	jexec one sh -c 'trap "echo term >got; exit" TERM
	    echo ready >started; while :; do sleep 0.01; done' &
	wait_for '[ -s started ]'
	run jail -r one
	atf_check -o inline:'term\n' cat got
	wait $! || true
	# One that does not listen; -R does not ask.
	run jail -c name=two persist vnet
	jexec two sh -c 'trap "" TERM; echo ready >started2
	    while :; do sleep 0.01; done' &
	wait_for '[ -s started2 ]'
	run jail -R two
	if wait $!; then
		fail "it was not killed"
	fi
	coaxd_stop
}

atf_test_case modules
modules_head()
{
	about 60 "A kind of interface is a module; what is not there is none"
}
modules_body()
{
	bsd
	for m in if_epair if_bridge if_vlan if_tap if_tuntap; do
		run kldstat -q -m $m
		run kldload -n -q $m
		run kldload $m.ko
		run kldunload $m
	done
	shows ' kernel$' kldstat
	shows ' if_bridge.ko$' kldstat
	shows ' if_bridge$' kldstat -m if_bridge
	shows ' if_bridge.ko$' kldstat -n /boot/kernel/if_bridge.ko
	shows ' kernel$' kldstat -i 1
	refused "can't stat file with id 99" kldstat -i 99
	atf_check -s exit:1 -o empty -e empty kldstat -q -m if_nope
	atf_check -s exit:1 -o empty -e empty kldload -n -q if_nope
	refused "can't load if_nope: No such file" kldload if_nope
	refused "can't find module if_nope" kldstat -m if_nope
	refused "can't find file if_nope: No such" kldunload if_nope
	refused '^usage: ' kldload
	refused '^usage: ' kldstat extra
	coaxd_stop
}

atf_test_case ping
ping_head()
{
	about 60 "ping means what FreeBSD's does: -t, exit status, print-out"
}
ping_body()
{
	bsd
	atf_check -o inline:'epair0a\n' ifconfig epair create up
	run jail -c name=one persist vnet vnet.interface=epair0b
	run jexec one ifconfig epair0b inet 192.0.2.2/24 up
	run jexec one ip -6 address add 2001:db8::2/64 dev epair0b nodad
	run ifconfig epair0a inet 192.0.2.1/24 up
	run ip -6 address add 2001:db8::1/64 dev epair0a nodad
	wait_for 'ping -c 1 -t 1 192.0.2.2'
	wait_for 'ping6 -c 1 -t 1 2001:db8::2'
	atf_check -o match:'^PING 192.0.2.2 \(192.0.2.2\): 56 data bytes$' \
	    -o match:'^64 bytes from 192.0.2.2: icmp_seq=0 ttl=64 time=[0-9.]+ ms$' \
	    -o match:'^64 bytes from 192.0.2.2: icmp_seq=1 ttl=64 ' \
	    -o match:'^--- 192.0.2.2 ping statistics ---$' \
	    -o match:'^2 packets transmitted, 2 packets received, 0.0% packet loss$' \
	    -o match:'^round-trip min/avg/max/stddev = [0-9./]+ ms$' \
	    ping -c 2 -i 0.01 192.0.2.2
	# -t is all the time there is, and one reply is enough.
	start=$(now_ms)
	atf_check -o match:'[12] packets received' ping -t 2 192.0.2.2
	[ $(($(now_ms) - start)) -ge 1900 ] || fail "-t 2 was shorter"
	start=$(now_ms)
	atf_check -s exit:2 -o match:', 0 packets received, 100.0% packet loss' \
	    ping -c 100 -t 1 192.0.2.9
	[ $(($(now_ms) - start)) -lt 5000 ] || fail "-t 1 was longer"
	# -W is in milliseconds, of the last reply.
	start=$(now_ms)
	exits 2 ping -c 1 -W 100 192.0.2.9
	[ $(($(now_ms) - start)) -lt 5000 ] || fail "-W 100 was longer"
	atf_check -o match:'^1 packets transmitted, 1 packets received' \
	    ping -o 192.0.2.2
	atf_check -o match:'^2008 bytes' ping -c 1 -s 2000 192.0.2.2
	atf_check -s exit:2 -o ignore -e match:'sendto: Message too long' \
	    ping -D -c 1 -t 1 -s 2000 192.0.2.2
	atf_check -o match:'from 192.0.2.1: 56' ping -c 1 -S 192.0.2.1 192.0.2.2
	atf_check -o match:' ttl=64$' ping -c 1 -s 4 192.0.2.2
	atf_check -o match:'100 packets received' ping -qf -c 100 192.0.2.2
	atf_check -o match:'^58 bytes' -o match:'^108 bytes' \
	    ping -g 50 -G 100 -h 50 -i 0.01 192.0.2.2
	atf_check -o match:'^PING\(56=40\+8\+8 bytes\) 2001:db8::1 --> 2001:db8::2$' \
	    -o match:'^16 bytes from 2001:db8::2, icmp_seq=0 hlim=64 time=' \
	    -o match:'^round-trip min/avg/max/std-dev = ' \
	    ping6 -c 1 2001:db8::2
	atf_check -o match:'hlim=64' ping -c 1 2001:db8::2
	atf_check -o match:'hlim=64' ping -6 -c 1 2001:db8::2
	exits 2 ping6 -c 1 -t 1 2001:db8::9
	# What cannot be.
	exits 64 ping
	atf_check -s exit:64 -o empty -e match:'invalid timeout: .0.$' \
	    ping -t 0 192.0.2.2
	atf_check -s exit:68 -o empty -e match:'cannot resolve no.such.invalid' \
	    ping -c 1 no.such.invalid
	atf_check -s exit:68 -o empty -e match:'cannot resolve' \
	    ping -6 -c 1 192.0.2.2
	atf_check -s exit:64 -o empty -e match:'invalid multicast interface' \
	    ping -I nope -c 1 192.0.2.2
	atf_check -s exit:2 -o ignore -e match:'sendto: Network is unreachable' \
	    ping -c 1 -t 1 203.0.113.1
	# Stopped, it tells how far it was.
	ping 192.0.2.2 >ping.out 2>ping.err &
	wait_for 'grep -q icmp_seq=0 ping.out'
	kill -QUIT $!
	wait_for 'grep -q "packets received (100.0%)" ping.err'
	kill -INT $!
	wait $! || fail "ping ended with $?"
	atf_check -o match:' 0.0% packet loss' cat ping.out
	coaxd_stop
}

atf_test_case txcsum
txcsum_head()
{
	about 60 "With -txcsum frames leave an epair with their checksums"
}
txcsum_body()
{
	bsd
	command -v ethtool >/dev/null || atf_skip "there is no ethtool"
	# A station behind a bridge sends to our own end of the epair.
	station s1 1
	atf_check -o inline:'epair0a\n' ifconfig epair create up
	run ifconfig bridge0 create addm vether1 addm epair0a up
	run ifconfig epair0b inet 192.0.2.9/24 up
	wait_for 'ping -o -t 1 192.0.2.1'
	for word in txcsum -txcsum; do
		run ifconfig epair0a $word ${word}6
		capture_start epair0b cap
		# shellcheck disable=SC2086
		run coax jexec s1 $lib_tool udpsend \
		    192.0.2.1 192.0.2.9 9 100
		# The end of the data: 100 bytes of it.
		wait_for 'grep -qE "^.{284}" cap'
		kill "$capture_pid"
		mv cap "cap$word"
	done
	shows 'options=.*TSO4' ifconfig epair0a
	hides TXCSUM ifconfig epair0a
	# shellcheck disable=SC2086
	{
		atf_check -s exit:1 -o ignore -e match:checksum \
		    $lib_tool checksums captxcsum 1500 4 17 100
		atf_check -o inline:'100\n' \
		    $lib_tool checksums cap-txcsum 1500 4 17 100
	}
	# Its own netdev has them no more.
	shows '^tx-checksumming: off' ethtool -k epair0a
	run ifconfig epair0a txcsum txcsum6
	shows '^tx-checksumming: on' ethtool -k epair0a
	coaxd_stop
}

atf_test_case sed
sed_head()
{
	about 30 "sed takes BSD's -i, whose extension is a word"
}
sed_body()
{
	lab_or_here
	PATH=$COAX_BUILD/bsd-env:$PATH
	printf 'a\nb\n' >f
	run sed -i "" '/^a$/d' f
	atf_check -o inline:'b\n' cat f
	run sed -i .bak -e s/b/c/ f
	atf_check -o inline:'b\n' cat f.bak
	run sed -i.old s/c/d/ f
	atf_check -o inline:'c\n' cat f.old
	atf_check -o inline:'12\n' -x \
	    'printf "x\ny 12\n" | sed -Ene "/x/ { N;s/.*y ([0-9]+)/\\1/p;q; }"'
	atf_check -o inline:'d\n' sed -nl p f
	atf_check -s exit:1 -o empty -e match:'^usage: sed' sed -Z f
	atf_check -o inline:'e\n' sed -a s/d/e/ f
}

atf_init_test_cases()
{
	atf_add_test_case whole
	atf_add_test_case whole_rootless
	atf_add_test_case jails
	atf_add_test_case jail_ends_its_processes
	atf_add_test_case modules
	atf_add_test_case ping
	atf_add_test_case txcsum
	atf_add_test_case sed
}
