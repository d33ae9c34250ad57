#!/usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# One daemon of root's, several users: what doc/security.md says, line by line.
# Alice is 20001 and Bob 20002, both of group 20000 (--group) and 20010 (shared
# with); Carol is an administrator by --admin 20020, Mallory nobody.
#
# shellcheck disable=SC2016,SC2034,SC2119,SC2120,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

# start [OPTION ...]
start()
{
	lab
	[ "$(id -u)" -eq 0 ] ||
	    atf_skip "only root can be several users"
	grep -qE '^ *0 +0 +4294967295' /proc/self/uid_map ||
	    atf_skip "there is one user in this namespace"
	command -v setpriv >/dev/null || atf_skip "there is no setpriv"
	# Where everybody can read them.
	mount -t tmpfs -o mode=0755 tmpfs /mnt
	mkdir -p /mnt/build /mnt/tests /run/coax
	mount --bind "$COAX_BUILD" /mnt/build
	mount --bind "$lib_dir" /mnt/tests
	export COAX_SOCKET=/run/coax/coax.sock
	coaxd_start --group 20000 --admin 20020 "$@"
}

# as USER CMD ...
as()
{
	case $1 in
	alice) lib_ids="--reuid=20001 --regid=20001 --groups=20000,20010" ;;
	bob) lib_ids="--reuid=20002 --regid=20002 --groups=20000,20010" ;;
	carol) lib_ids="--reuid=20003 --regid=20003 --groups=20020" ;;
	mallory) lib_ids="--reuid=20004 --regid=20004 --clear-groups" ;;
	esac
	shift
	lib_cmd=$1
	shift
	# shellcheck disable=SC2086 # words
	(cd / && PATH=/mnt/build/compat:/mnt/build:$PATH \
	    COAX_BUILD=/mnt/build exec setpriv $lib_ids "$lib_cmd" "$@")
}

# did USER CMD ...: silent, exit 0. denied PATTERN USER CMD ...: exit 1.
did()
{
	as "$@" >did.out 2>did.err || fail "$* failed: $(cat did.err)"
	[ ! -s did.out ] || fail "$* said $(cat did.out)"
}

denied()
{
	lib_pattern=$1
	shift
	if as "$@" >did.out 2>did.err; then
		fail "$* was done"
	fi
	grep -qE "$lib_pattern" did.err || fail "$*: $(cat did.err)"
}

# seen PATTERN USER CMD ...; unseen PATTERN USER CMD ...
seen()
{
	lib_pattern=$1
	shift
	as "$@" >did.out 2>&1 || fail "$* failed: $(cat did.out)"
	grep -qE "$lib_pattern" did.out || fail "$*: $(cat did.out)"
}

unseen()
{
	lib_pattern=$1
	shift
	as "$@" >did.out 2>&1 || fail "$* failed: $(cat did.out)"
	! grep -qE "$lib_pattern" did.out || fail "$*: $(cat did.out)"
}

atf_test_case each_his_own
each_his_own_head()
{
	about 120 "A user sees, changes and ends what is his, and nothing else"
}
each_his_own_body()
{
	start
	as alice ifconfig tap create >name.out || fail "create"
	atf_check -o inline:'tap0\n' cat name.out
	did alice ifconfig tap0 mtu 1400 up
	run ifconfig feth0 create
	seen '^tap0$' alice ifconfig -l
	unseen . bob ifconfig -l
	seen 'user: 20001' alice ifconfig tap0
	# For Bob there is no tap0, whatever he says.
	denied 'tap0 does not exist' bob ifconfig tap0
	denied 'tap0 does not exist' bob ifconfig tap0 down
	denied 'tap0 does not exist' bob ifconfig tap0 destroy
	denied 'does not exist' bob coax rpc iface.get '{"name":"tap0"}'
	denied 'does not exist' bob coax rpc iface.destroy '{"name":"tap0"}'
	denied 'does not exist' bob coax drops tap0
	denied 'does not exist' bob coax capture tap0 -c 1
	denied 'not configured' bob coax rpc tap.get '{"name":"tap0"}'
	denied 'not configured' bob coax rpc tap.open '{"name":"tap0"}'
	denied 'not configured' bob coax rpc tap.set \
	    '{"name":"tap0","what":"mtu","value":1200}'
	denied 'feth0 does not exist' alice ifconfig feth0
	unseen tap0 bob coax rpc iface.list
	unseen tap0 bob coax drops
	# A name is taken all the same.
	denied 'File exists|already exists' bob ifconfig tap0 create
	# Root and the administrator have it all.
	shows 'tap0 feth0|feth0 tap0' ifconfig -l
	seen feth0 carol ifconfig -l
	did carol ifconfig tap0 mtu 1300
	shows 'mtu 1300' ifconfig tap0
	# Given away: Bob's now.
	did carol ifconfig tap0 user 20002
	denied 'does not exist' alice ifconfig tap0 up
	did bob ifconfig tap0 destroy
	coaxd_stop
}

atf_test_case not_for_users
not_for_users_head()
{
	about 120 "What concerns everybody is refused to users, and nobody else comes in"
}
not_for_users_body()
{
	start
	denied 'Permission denied' mallory ifconfig -l
	denied 'Permission denied' mallory \
	    coax -S /run/coax/coax-ro.sock ifconfig -l
	as alice ifconfig tap create >/dev/null
	denied 'not permitted' alice sysctl net.link.host_attach=0
	denied 'not permitted' alice sysctl security.user.ports=0
	denied 'not permitted' alice coax vnet create mine
	denied 'not permitted' alice ipfw add deny ip from any to any
	denied 'not permitted' alice ipfw list
	seen '65535 allow' carol ipfw list
	denied 'not permitted' alice ifconfig sock0 create
	denied 'not permitted' alice ifconfig gif0 create
	ip link add card0 type veth peer name card1
	denied 'not permitted' alice ifconfig card0 up
	denied 'not permitted' alice ifconfig tap0 host
	denied 'not permitted' alice ifconfig tap0 user 20002
	denied 'not permitted' alice ifconfig tap0 macs 02:00:00:00:00:01
	denied 'not permitted' alice ifconfig tap0 usergroup 4
	denied 'not permitted' alice ifconfig tap0 group 4
	denied 'not permitted' alice coax vnet attach box 1
	denied 'not permitted' alice coax trace tap0 arp who-has 192.0.2.1
	seen 'no host|tap0' alice ifconfig tap0
	# Nothing of it happened.
	hides 'macs|usergroup' ifconfig tap0
	atf_check -o inline:'1\n' sysctl -n net.link.host_attach
	hides mine coax vnet list
	coaxd_stop
}

atf_test_case shared_switch
shared_switch_head()
{
	about 120 "Users of a bridge's group plug their own into it, and see only that"
}
shared_switch_body()
{
	start
	run ifconfig bridge0 create usergroup 20010 up
	as alice ifconfig tap0 create up || fail create
	as bob ifconfig tap1 create up || fail create
	did alice ifconfig bridge0 addm tap0
	did bob ifconfig bridge0 addm tap1
	seen 'member: tap0' alice ifconfig bridge0
	unseen 'tap1' alice ifconfig bridge0
	unseen 'tap0' bob ifconfig bridge0
	# Not another's, in or out; nor a VLAN; nor a setting of the bridge.
	denied 'no interface tap0' bob ifconfig bridge0 deletem tap0
	denied 'not permitted' bob ifconfig bridge0 stp tap0
	denied 'not permitted' bob ifconfig bridge0 private tap1
	denied 'not permitted' bob ifconfig bridge0 span tap1
	denied 'not permitted' bob ifconfig bridge0 maxaddr 1
	denied 'not permitted' bob ifconfig bridge0 down
	denied 'not permitted' bob ifconfig bridge0 destroy
	denied 'not permitted' bob ifconfig bridge0.7 create
	denied 'not permitted' bob coax capture bridge0 -c 1
	did bob ifconfig bridge0 deletem tap1
	denied 'not permitted' bob ifconfig bridge0 addm tap1 untagged 7
	did bob ifconfig bridge0 addm tap1
	# Addresses: what is learned behind one's own ports.
	run ifconfig bridge0 static tap0 02:00:00:00:00:0a \
	    static tap1 02:00:00:00:00:0b
	seen '02:00:00:00:00:0a' alice ifconfig bridge0 addr
	unseen '02:00:00:00:00:0b' alice ifconfig bridge0 addr
	# A stranger to the group sees no bridge.
	run ifconfig bridge0 -usergroup
	denied 'bridge0 does not exist' alice ifconfig bridge0
	# Root puts out whom it likes.
	run ifconfig bridge0 deletem tap0
	coaxd_stop
}

atf_test_case limits
limits_head()
{
	about 120 "Ports, addresses and requests of a user are limited, whatever he opens"
}
limits_body()
{
	start
	atf_check -o ignore sysctl security.user.ports=2 \
	    security.user.addresses=1
	as alice ifconfig tap create >/dev/null || fail create
	as alice ifconfig tap create >/dev/null || fail create
	denied 'may have 2 interfaces' alice ifconfig tap create
	denied 'Disc quota exceeded' alice ifconfig tap create
	denied 'EDQUOT' alice coax --json rpc iface.create '{"name":"tap"}'
	as bob ifconfig tap create >/dev/null || fail create
	did alice ifconfig tap0 destroy
	as alice ifconfig tap create >/dev/null || fail create
	# One address behind two ports together.
	run ifconfig bridge0 create usergroup 20010 up
	did alice ifconfig bridge0 addm tap0 addm tap1
	run ifconfig bridge0 static tap0 02:00:00:00:00:0a
	refused 'allows|exceed|quota' \
	    ifconfig bridge0 static tap1 02:00:00:00:00:0b
	run ifconfig bridge0 deladdr 02:00:00:00:00:0a
	# The same by what is learned; others learn on.  (The static one that
	# was refused counts, too.)
	atf_check -o ignore sysctl security.user.addresses=2
	run ifconfig feth0 create up
	run ifconfig feth1 create peer feth0 up
	run ifconfig bridge0 addm feth1
	run ifconfig tap0 up
	tap_hold tap0
	for n in 1 2 3 4; do
		tap_do write "$(frame ff:ff:ff:ff:ff:ff \
		    02:00:00:00:00:0$n 88b5 x)"
	done
	wait_for 'coax rpc iface.get "{\"name\":\"bridge0\"}" | tool json \
	    "sum(m[\"violations\"] for m in v[\"bridge\"][\"members\"]) == 3"'
	tool send feth0 "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:05 88b5 x)"
	wait_for 'ifconfig bridge0 addr | grep -q 02:00:00:00:00:05'
	shows '02:00:00:00:00:02' ifconfig bridge0 addr
	hides '02:00:00:00:00:0[34]' ifconfig bridge0 addr
	# What he gives back he has again.
	run ifconfig bridge0 flushall
	tap_do write "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:04 88b5 x)"
	wait_for 'ifconfig bridge0 addr | grep -q 02:00:00:00:00:04'
	tap_release
	coaxd_stop
}

atf_test_case tun
tun_head()
{
	about 60 "TUNSETOWNER and TUNSETGROUP: whose a tap is, and who may open it"
}
tun_body()
{
	start
	if [ ! -e "$COAX_BUILD/libcoax-shim.so" ] ||
	    grep -q __asan_init "$COAX_BUILD/libcoax-shim.so"; then
		atf_skip "there is no library to preload"
	fi
	# By its name, which is no netdev's: the kernel refuses her changes, the
	# tap takes them.
	as alice ifconfig tap0 create >/dev/null || fail create
	as alice coax run -- /mnt/build/tests/system/shim_probe by_name \
	    >by_name.out 2>&1 || fail "$(cat by_name.out)"
	shows 'UP.* mtu 1400' ifconfig tap0
	did alice ifconfig tap0 destroy
	cat >/mnt/tun.py <<-'EOF'
	import errno, fcntl, os, struct, sys
	SETIFF, PERSIST = 0x400454ca, 0x400454cb
	OWNER, GROUP = 0x400454cc, 0x400454ce
	def refused(number, value):
	    try:
	        fcntl.ioctl(fd, number, value)
	        return None
	    except OSError as e:
	        return errno.errorcode[e.errno]
	fd = os.open("/dev/net/tun", os.O_RDWR)
	fcntl.ioctl(fd, SETIFF, struct.pack("16sH22x", b"vpn0", 0x1002))
	for number, value in [(PERSIST, 1), (OWNER, 20002), (OWNER, 20001),
	                      (GROUP, 4), (GROUP, 20010)]:
	    print(refused(number, value))
	EOF
	as alice coax run -- /usr/bin/python3 /mnt/tun.py >tun.out 2>&1 ||
	    fail "$(cat tun.out)"
	atf_check -o inline:'None\nEPERM\nNone\nEPERM\nNone\n' cat tun.out
	# It stays, hers; Bob may open it and no more.
	shows 'user: 20001 usergroup: 20010' ifconfig vpn0
	wait_for 'as bob coax tap vpn0 -- true'
	denied 'not permitted' bob ifconfig vpn0 destroy
	run ifconfig vpn0 -usergroup
	denied 'not configured' bob coax tap vpn0 -- true
	did alice ifconfig vpn0 destroy
	coaxd_stop
}

# alices CMD ...: with a daemon of her own.
alices()
{
	as alice env COAX_SOCKET=/mnt/alice/s "$@"
}

atf_test_case own_daemon
own_daemon_head()
{
	about 60 "A user's own daemon, without host sides, serves programs unchanged"
}
own_daemon_body()
{
	start
	need_program socat
	if [ ! -e "$COAX_BUILD/libcoax-shim.so" ] ||
	    grep -q __asan_init "$COAX_BUILD/libcoax-shim.so"; then
		atf_skip "there is no library to preload"
	fi
	mkdir /mnt/alice
	chown 20001 /mnt/alice
	alices coaxd >own.out 2>&1 &
	wait_for 'grep -q "coaxd: ready" own.out'
	alices ifconfig tap0 create >/dev/null || fail "create"
	alices coax run -- /mnt/build/tests/system/shim_probe by_name \
	    >by_name.out 2>&1 || fail "$(cat by_name.out)"
	# socat sets its interface up by its name.
	alices coax run -- socat TUN,tun-type=tap,iff-no-pi,tun-name=tap5,iff-up \
	    UDP:127.0.0.1:9 >socat.out 2>&1 &
	wait_for 'alices ifconfig tap5 | grep -q "<UP"'
	atf_check -s not-exit:0 -o ignore -e ignore ip link show tap5
	alices ifconfig tap5 destroy || fail "destroy"
	kill "$(alices coax rpc daemon.info |
	    sed -n 's/^ *"pid": \([0-9]*\),.*/\1/p')"
	wait_for '! alices coax rpc ping'
	coaxd_stop
}

atf_test_case places
places_head()
{
	about 60 "A user's clients are a quarter of all; there is room for others"
}
places_body()
{
	start
	mkfifo hold.in
	as alice /usr/bin/python3 -c 'import socket, sys
held = []
for i in range(160):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    held.append(s)
refused = 0
for s in held:
    s.settimeout(10)
    try:
        s.sendall(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n")
        refused += b"pong" not in s.recv(4096)
    except OSError:
        refused += 1
print("refused", refused, flush=True)
sys.stdin.read()' "$COAX_SOCKET" <hold.in >hold.out 2>&1 &
	exec 8>hold.in
	wait_for 'grep -q refused hold.out'
	atf_check -o inline:'refused 32\n' cat hold.out
	denied 'too many clients' alice ifconfig -l
	as bob ifconfig tap create >/dev/null || fail "Bob was shut out"
	run ifconfig feth0 create
	exec 8>&-
	wait $!
	wait_for 'as alice ifconfig -l'
	coaxd_stop
}

atf_test_case spoofing
spoofing_head()
{
	about 60 "macs: only those addresses come in, and the rest is counted"
}
spoofing_body()
{
	lab_or_here
	coaxd_start
	run ifconfig feth0 create up
	run ifconfig feth1 create peer feth0 up
	run ifconfig bridge0 create addm feth1 up
	run ifconfig feth1 macs 02:00:00:00:00:01,02:00:00:00:00:02
	shows 'macs: 02:00:00:00:00:01,02:00:00:00:00:02' ifconfig feth1
	shows 'may not send from' coax trace feth1 \
	    "ffffffffffff02000000000388b5$(printf '%092d' 0)"
	shows 'learned on feth1' coax trace feth1 \
	    "ffffffffffff02000000000288b5$(printf '%092d' 0)"
	all=ff:ff:ff:ff:ff:ff
	# Frames as they come: a program behind a tap on the bridge.
	run ifconfig tap0 create up
	run ifconfig bridge0 addm tap0
	run ifconfig tap0 macs 02:00:00:00:00:01,02:00:00:00:00:02
	tap_hold tap0
	for source in 1 3 2 a; do
		tap_do write "$(frame $all 02:00:00:00:00:0$source 88b5 x)"
	done
	tap_do write "$(frame $all 01:00:00:00:00:01 88b5 x)"
	wait_for '[ "$(dropped tap0 mac-spoofed)" -eq 3 ]'
	wait_for 'ifconfig bridge0 addr | grep -q 02:00:00:00:00:02'
	shows 02:00:00:00:00:01 ifconfig bridge0 addr
	hides '02:00:00:00:00:0[3a]' ifconfig bridge0 addr
	run ifconfig tap0 -macs
	tap_do write "$(frame $all 02:00:00:00:00:03 88b5 x)"
	wait_for 'ifconfig bridge0 addr | grep -q 02:00:00:00:00:03'
	tap_release
	coaxd_stop
}

atf_test_case own_vnet
own_vnet_head()
{
	about 120 "A user has netdevs in namespaces of his own, and in no other"
}
own_vnet_body()
{
	start
	need_host
	as alice unshare -U -r -n sleep 1000 >/dev/null 2>&1 &
	wait_for 'pgrep -u 20001 -x sleep'
	pid=$(pgrep -u 20001 -x sleep)
	wait_for '[ "$(readlink /proc/$pid/ns/net)" != \
	    "$(readlink /proc/self/ns/net)" ]'
	denied 'not in a user namespace of yours|own namespace' alice \
	    sh -c 'coax vnet attach mine $$'
	denied . bob coax vnet attach box "$pid"
	did alice coax vnet attach box "$pid"
	seen '^box' alice coax vnet list
	unseen box bob coax vnet list
	as alice ifconfig -j box tap0 create up >/dev/null || fail create
	shows 'tap0' nsenter -t "$pid" -n ip -o link show
	atf_check -s not-exit:0 -o ignore -e ignore ip link show tap0
	# Somebody else does not get there, nor do interfaces of his.
	denied 'not found|does not exist' bob ifconfig -j box -l
	as bob ifconfig tap1 create >/dev/null || fail create
	denied 'not found|no host side|not permitted' bob \
	    ifconfig tap1 vnet box
	denied 'not found' bob coax vnet destroy box
	did alice coax vnet destroy box
	kill "$pid"
	# A new tap of a program there brings its netdev along.
	as alice unshare -U -r -n coax tap tap -- ip -o link show >link.out ||
	    fail "$(cat link.out)"
	grep -q tap link.out || fail "$(cat link.out)"
	wait_for '! coax vnet list | grep -q netns-'
	# In a namespace of which he has no more than a descriptor, it does not.
	unshare -n sleep 1000 &
	pid=$!
	wait_for '[ "$(readlink /proc/$pid/ns/net)" != \
	    "$(readlink /proc/self/ns/net)" ]'
	cat >/mnt/foreign.py <<-'EOF'
	import json, os, socket
	c = socket.socket(socket.AF_UNIX)
	c.connect(os.environ["COAX_SOCKET"])
	line = {"jsonrpc": "2.0", "id": 1, "method": "tap.open",
	        "params": {"netns": 0, "fds": 1}}
	socket.send_fds(c, [json.dumps(line).encode() + b"\n"], [9])
	answer, fds, _, _ = socket.recv_fds(c, 65536, 1)
	name = json.loads(answer)["result"]["name"]
	print(name, json.load(os.popen(f"ifconfig --json {name}")))
	EOF
	as alice /usr/bin/python3 /mnt/foreign.py >foreign.out 2>&1 \
	    9<"/proc/$pid/ns/net" || fail "$(cat foreign.out)"
	grep -q '^tap' foreign.out || fail "$(cat foreign.out)"
	! grep -q netns- foreign.out || fail "$(cat foreign.out)"
	kill "$pid"
	coaxd_stop
}

atf_test_case captures
captures_head()
{
	about 60 "A user's captures are a quarter of all, and their memory is bounded"
}
captures_body()
{
	start
	for n in 0 1 2; do
		as alice ifconfig tap$n create up >/dev/null || fail create
	done
	as bob ifconfig tap3 create up >/dev/null || fail create
	mkfifo hold.in
	as alice /usr/bin/python3 /mnt/tests/tool.py capture_many tap0 tap1 \
	    tap2 <hold.in >hold.out 2>&1 &
	exec 8>hold.in
	wait_for '[ -s hold.out ]'
	atf_check -o inline:'64 EDQUOT EDQUOT\n' cat hold.out
	denied 'Disc quota exceeded' alice coax capture tap2 -c 1
	# Bob has what an interface may have, and root, too.
	as bob /usr/bin/python3 /mnt/tests/tool.py capture_many tap3 \
	    </dev/null >bob.out 2>&1
	atf_check -o inline:'32 EBUSY EDQUOT\n' cat bob.out
	run ifconfig feth0 create up
	# shellcheck disable=SC2086 # words
	$lib_tool capture_many feth0 </dev/null >root.out 2>&1
	atf_check -o match:'^32 EBUSY' cat root.out
	exec 8>&-
	wait $!
	wait_for '[ "$(sysctl -n coax.captures)" -eq 0 ]'
	coaxd_stop
}

atf_test_case events
events_head()
{
	about 60 "A user's monitor shows what concerns his own"
}
events_body()
{
	start
	as alice coax monitor --json >events.out 2>&1 &
	# Told once it listens.
	wait_for 'as alice ifconfig tap9 create >/dev/null 2>&1;
	    as alice ifconfig tap9 destroy; grep -q tap9 events.out'
	as bob ifconfig tap1 create >/dev/null || fail create
	run ifconfig feth0 create
	as alice ifconfig tap2 create >/dev/null || fail create
	wait_for 'grep -q tap2 events.out'
	! grep -E 'tap1|feth0' events.out || fail "events of others"
	coaxd_stop
}

atf_test_case requests
requests_head()
{
	about 120 "A user's requests have one rate, whatever number of clients he has"
}
requests_body()
{
	start
	atf_check -o ignore sysctl security.user.requests=20
	# 60 requests by three clients: 20 at once, the rest take two seconds.
	before=$(now_ms)
	pids=
	for i in 1 2 3; do
		as alice sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do
			coax rpc ping && coax rpc ping || exit 1
		done' >"ping$i.out" 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || fail "a client was refused"
	done
	took=$(($(now_ms) - before))
	[ "$took" -ge 1500 ] || fail "60 requests took $took ms"
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case own_vnet
	atf_add_test_case events
	atf_add_test_case requests
	atf_add_test_case each_his_own
	atf_add_test_case not_for_users
	atf_add_test_case shared_switch
	atf_add_test_case limits
	atf_add_test_case own_daemon
	atf_add_test_case captures
	atf_add_test_case tun
	atf_add_test_case places
	atf_add_test_case spoofing
}
