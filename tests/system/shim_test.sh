#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# Programs that know nothing of coax: coax run, coax tap, the preload library.
#
# shellcheck disable=SC1010,SC2016,SC2154

. "$(atf_get_srcdir)/lib.subr"

need_shim()
{
	[ -e "$COAX_BUILD/libcoax-shim.so" ] || atf_skip "no libcoax-shim.so"
	if grep -q __asan_init "$COAX_BUILD/libcoax-shim.so"; then
		atf_skip "built with ASan: it cannot be preloaded into others"
	fi
}

# probe SCENARIO [ARG]: under coax run, plain and with FORTIFY.
probe()
{
	for lib_p in shim_probe shim_probe_fortify; do
		atf_check -s exit:0 -o ignore -e empty coax run -- \
		    "$COAX_BUILD/tests/system/$lib_p" "$@"
	done
}

atf_test_case names
names_head()
{
	about 60 "The probes call what the library takes over, FORTIFY's as well"
}
names_body()
{
	need_shim # a sanitizer has some of the names itself
	need_program nm
	lib_at=$COAX_BUILD/tests/system
	nm -D "$lib_at/shim_probe" | sed 's/@.*//' >plain
	nm -D "$lib_at/shim_probe_fortify" | sed 's/@.*//' >fortify
	for f in open open64 openat openat64 creat creat64 fopen fopen64 stat \
	    stat64 lstat lstat64 fstatat fstatat64 statx access faccessat \
	    euidaccess eaccess socket ioctl; do
		grep -q " U $f\$" plain || fail "nobody calls $f"
	done
	for f in __open_2 __open64_2 __openat_2 __openat64_2; do
		grep -q " U $f\$" fortify || fail "nobody calls $f"
	done
}

atf_test_case device
device_head()
{
	about 60 "/dev/tap and /dev/tapN are character devices: open and stat"
}
device_body()
{
	need_shim
	lab_or_here
	coaxd_start
	run ifconfig tap0 create
	probe device
	[ ! -f /dev/tap ] || fail "a file was made"
	wait_for '! ifconfig tap1'
	shows '^tap0: ' ifconfig tap0
	coaxd_stop
}

atf_test_case passed_on
passed_on_head()
{
	about 60 "TAPGIFNAME after dup, fork, exec and SCM_RIGHTS"
}
passed_on_body()
{
	need_shim
	lab_or_here
	coaxd_start
	atf_check -s exit:0 -o ignore -e empty coax run -- \
	    "$COAX_BUILD/tests/system/shim_probe" passed_on
	wait_for '[ -z "$(ifconfig -l)" ]'
	coaxd_stop
}

atf_test_case next_size
next_size_head()
{
	about 60 "FIONREAD is the size of the next frame, 0 without one"
}
next_size_body()
{
	need_shim
	lab_or_here
	coaxd_start
	taps
	probe next_size
	coaxd_stop
}

atf_test_case waiting
waiting_head()
{
	about 60 "FIONBIO, FIOASYNC, FIOSETOWN; select, poll and epoll"
}
waiting_body()
{
	need_shim
	lab_or_here
	coaxd_start
	taps
	probe waiting
	probe waiting tun
	coaxd_stop
}

atf_test_case uring
uring_head()
{
	about 60 "io_uring: reads, writes and polls are the kernel's own"
}
uring_body()
{
	need_shim
	lab_or_here
	coaxd_start
	taps
	probe uring
	probe uring tun
	coaxd_stop
}

atf_test_case little
little_head()
{
	about 60 "A thread with the smallest stack: open, ioctl by name, TUNSETIFF"
}
little_body()
{
	need_shim
	lab_or_here
	coaxd_start
	taps
	probe little
	coaxd_stop
}

atf_test_case either
either_head()
{
	about 60 "/dev/tap and /dev/tapN: the same can be done with both"
}
either_body()
{
	need_shim
	lab_or_here
	coaxd_start
	taps
	probe either
	wait_for '[ -z "$(ifconfig -l | grep tap2)" ]'
	coaxd_stop
}

atf_test_case sockets
sockets_head()
{
	about 60 "SIOCIFCREATE on any socket, SIOCALIFADDR on a PF_LINK one"
}
sockets_body()
{
	need_shim
	lab_or_here
	coaxd_start
	run ifconfig tap0 create
	before=$(mac tap0)
	atf_check -s exit:0 -o ignore -e empty coax run -- \
	    "$COAX_BUILD/tests/system/shim_probe" sockets
	[ "$before" != f2:0b:a4:01:02:03 ] || fail "it had that address"
	[ "$(mac tap0)" = f2:0b:a4:01:02:03 ] || fail "it is $(mac tap0)"
	[ "$(ifconfig -l)" = tap0 ] || fail "there is $(ifconfig -l)"
	coaxd_stop
}

atf_test_case by_name
by_name_head()
{
	about 60 "Without a netdev SIOCGIF... by a tap's name ask the tap"
}
by_name_body()
{
	need_shim
	lab_or_here
	coaxd_start
	run ifconfig tap0 create
	ifconfig tap0 -host 2>/dev/null || true
	atf_check -s exit:0 -o ignore -e empty coax run -- \
	    "$COAX_BUILD/tests/system/shim_probe" by_name
	shows 'UP.* mtu 1400' ifconfig tap0
	coaxd_stop
}

atf_test_case carrier
carrier_head()
{
	about 60 "TUNSETCARRIER is the link: IFF_RUNNING and status follow"
}
carrier_body()
{
	need_shim
	lab_or_here
	coaxd_start
	run ifconfig tap0 create
	ifconfig tap0 -host 2>/dev/null || true
	run ifconfig tap0 up
	for p in shim_probe shim_probe_fortify; do
		atf_check -s exit:0 -o ignore -e empty \
		    coax run -- "$COAX_BUILD/tests/system/$p" carrier
		wait_for 'ifconfig tap0 | grep -q "status: no carrier"'
	done
	coaxd_stop
}

atf_test_case tun
tun_head()
{
	about 60 "/dev/net/tun: every ioctl, before and after TUNSETIFF"
}
tun_body()
{
	need_shim
	lab_or_here
	coaxd_start
	run ifconfig tap0 create
	run ifconfig bridge0 create
	for p in shim_probe shim_probe_fortify; do
		atf_check -s exit:0 -o ignore -e match:'IFF_TUN is not' \
		    coax run -- "$COAX_BUILD/tests/system/$p" tun
		wait_for '[ "$(ifconfig -l)" = "tap0 bridge0" ]'
	done
	coaxd_stop
}

atf_test_case tun_persist
tun_persist_head()
{
	about 60 "TUNSETPERSIST: a tap that outlives its descriptor"
}
tun_persist_body()
{
	need_shim
	lab_or_here
	coaxd_start
	probe persist on
	shows '^vpn0: ' ifconfig vpn0
	shows 'status: (no carrier|inactive)' ifconfig vpn0
	atf_check -s exit:0 -o ignore -e empty coax run -- \
	    "$COAX_BUILD/tests/system/shim_probe" persist off
	wait_for '! ifconfig vpn0'
	coaxd_stop
}

atf_test_case tun_headers
tun_headers_head()
{
	about 60 "tun_pi and virtio_net_hdr stand before each frame"
}
tun_headers_body()
{
	need_shim
	lab_or_here
	coaxd_start
	taps
	probe headers
	coaxd_stop
}

atf_test_case tun_offload
tun_offload_head()
{
	about 60 "TUNSETOFFLOAD: large segments as they are, or in pieces"
}
tun_offload_body()
{
	need_shim
	lab_or_here
	coaxd_start
	taps
	probe offload
	coaxd_stop
}

atf_test_case tun_queues
tun_queues_head()
{
	about 60 "IFF_MULTI_QUEUE: flows are spread, TUNSETQUEUE takes one off"
}
tun_queues_body()
{
	need_shim
	lab_or_here
	coaxd_start
	taps
	probe queues
	wait_for '[ "$(field tap1 tap.open)" = False ] ||
	    [ "$(field tap1 tap.open)" = false ]'
	coaxd_stop
}

atf_test_case destroyed
destroyed_head()
{
	about 60 "The interface ends before the descriptor: ENXIO, EBADFD"
}
destroyed_body()
{
	need_shim
	lab_or_here
	coaxd_start
	probe destroyed
	coaxd_stop
}

atf_test_case switched_off
switched_off_head()
{
	about 60 "COAX_SHIM=off, no daemon: an error, and nothing else breaks"
}
switched_off_body()
{
	need_shim
	lab_or_here
	coaxd_start
	export COAX_SHIM=off
	probe without off
	unset COAX_SHIM
	cat >gone.sh <<-'EOF'
	COAX_SOCKET=$PWD/nobody.sock
	export COAX_SOCKET
	"$COAX_BUILD/tests/system/shim_probe" without daemon || exit 1
	COAX_SHIM=quiet "$COAX_BUILD/tests/system/shim_probe" without daemon
	EOF
	atf_check -s exit:0 -o empty -e match:'no coaxd answers' \
	    coax run -- sh gone.sh
	# What does not use taps does what it did.
	atf_check -o inline:'hello\n' coax run -- echo hello
	atf_check -s exit:3 coax run -- sh -c 'exit 3'
	atf_check -o inline:'ok\n' coax run -- /usr/bin/python3 -c '
import os, socket, tempfile, threading
with tempfile.TemporaryDirectory() as d:
    p = os.path.join(d, "f")
    fd = os.open(p, os.O_CREAT | os.O_RDWR, 0o640)
    assert os.stat(p).st_mode & 0o777 == 0o640 & ~os.umask(0)
    assert os.access(p, os.R_OK)
threads = [threading.Thread(target=os.stat, args=("/",)) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
a, b = socket.socketpair()
print("ok")'
	coaxd_stop
}

atf_test_case run_errors
run_errors_head()
{
	about 60 "coax run and coax tap: refusals and exit statuses"
}
run_errors_body()
{
	need_shim
	lab_or_here
	export COAX_SOCKET="$PWD/coax.sock"
	refused 'no daemon' coax run -- true
	refused 'no daemon' coax tap tap0 -- true
	coaxd_start
	refused 'usage: coax run' coax run
	refused 'usage: coax tap' coax tap
	refused 'usage: coax tap' coax tap tap0
	atf_check -s exit:127 -e match:nonesuch coax run -- nonesuch
	atf_check -s exit:126 -e match:'Permission denied' coax run -- /etc
	refused 'tap9: Device not configured' coax tap tap9 -- true
	# What no preload reaches is said, and runs.
	box=$(command -v busybox) || box=
	if [ -n "$box" ] && ! ldd "$box" >ldd.out 2>&1; then
		atf_check -o inline:'ran\n' -e match:'is statically linked: it' \
		    coax run -- busybox echo ran
	fi
	coaxd_stop
}

atf_test_case set_id
set_id_head()
{
	about 60 "coax run says of a set-user-ID program that it sees nothing"
	atf_set require.user unprivileged
}
set_id_body()
{
	need_shim
	coaxd_start
	cp "$(command -v env)" mine
	atf_check -o inline:'ran\n' coax run -- ./mine echo ran
	chmod 6755 mine
	atf_check -o inline:'ran\n' -e match:'is set-user-ID or set-group-ID: ' \
	    coax run -- ./mine echo ran
	coaxd_stop
}

atf_test_case inherited
inherited_head()
{
	about 60 "coax tap: {fd}, {name} and LISTEN_FDS; the link is up"
}
inherited_body()
{
	lab_or_here
	coaxd_start
	taps
	atf_check -o inline:'3 tap0 x=tap0,3 1 tap0\n' coax tap tap0 -- \
	    sh -c 'echo {fd} "$1" "$2" $LISTEN_FDS $LISTEN_FDNAMES;
		[ "$LISTEN_PID" = $$ ]' - '{name}' 'x={name},{fd}'
	wait_for 'coax tap tap0 -- true'
	# A frame, by a program with nothing but the descriptor.
	tap_hold tap1
	f=$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:01 88b5 one)
	wait_for "coax tap tap0 -- /usr/bin/python3 -c '
import os; os.write({fd}, bytes.fromhex(\"$f\"))'"
	wait_for '[ "$(field tap1 counters.opackets)" -ge 1 ]'
	tap_release
	# A new one.
	atf_check -o inline:'tap2\n' coax tap tap -- echo '{name}'
	wait_for '! ifconfig tap2'
	coaxd_stop
}

atf_test_case attach_hostile
attach_hostile_head()
{
	about 60 "tap.attach with other descriptors is refused, and no more"
}
attach_hostile_body()
{
	lab_or_here
	coaxd_start
	run ifconfig tap0 create
	cat >hostile.py <<-'EOF'
	import json, os, socket, sys
	def call(fds, name="tap9", flags=0x1002, method="tap.attach", **more):
	    c = socket.socket(socket.AF_UNIX)
	    c.settimeout(10)
	    c.connect(os.environ["COAX_SOCKET"])
	    params = {"name": name, "flags": flags, "fds": len(fds), **more}
	    if flags is None:
	        del params["flags"]
	    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
	                       "params": params}).encode() + b"\n"
	    socket.send_fds(c, [line], fds)
	    answer = json.loads(c.makefile().readline())
	    error = answer.get("error")
	    return error and error.get("data", {}).get("errno", error["code"])
	def seq():
	    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	def is_(got, want):
	    if got != want:
	        sys.exit(f"line {sys._getframe(1).f_lineno}: {got}, not {want}")
	is_(call([]), "EINVAL")
	is_(call([os.pipe()[0]]), "EINVAL")
	is_(call([socket.socket(socket.AF_UNIX).fileno()]), "EINVAL")
	is_(call([socket.socket().fileno()]), "EINVAL")
	listening = seq()
	listening.bind("listening")
	listening.listen()
	is_(call([listening.fileno()]), "EINVAL")
	a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	is_(call([a.fileno()]), "EEXIST")
	s = seq()
	is_(call([s.fileno()], flags=0x1001), "EOPNOTSUPP")
	is_(call([s.fileno()], flags=0x1022), "EINVAL")
	is_(call([s.fileno()], flags=70000), "EINVAL")
	is_(call([s.fileno()], name="a%sb"), "EINVAL")
	is_(call([s.fileno()], name="x" * 1000), "EINVAL")
	is_(call([s.fileno()], fd=3), "EINVAL")
	# After all of that it still can be had, once.
	is_(call([s.fileno()]), None)
	is_(call([s.fileno()], name="tap8"), "EEXIST")
	def call_set(**params):
	    c = socket.socket(socket.AF_UNIX)
	    c.connect(os.environ["COAX_SOCKET"])
	    c.sendall(json.dumps({"id": 1, "jsonrpc": "2.0",
	        "method": "tap.set", "params": params}).encode() + b"\n")
	    error = json.loads(c.makefile().readline()).get("error")
	    return error and error.get("data", {}).get("errno", error["code"])
	for what in ["persist", "header", "offload", "attached", "type",
	             "mac", "mtu"]:
	    for value in [-1, 1 << 62, -(1 << 62)]:
	        got = call_set(name="tap9", what=what, value=value)
	        is_(got, None if what == "persist" else "EINVAL")
	is_(call_set(name="tap9", what="persist", value=0), None)
	is_(call_set(name="tap9", what="nothing", value=0), "EINVAL")
	is_(call_set(name="tap77", what="up", value=1), "ENXIO")
	is_(call_set(cookie=1, what="up", value=1), "ENXIO")
	is_(call_set(what="up", value=1), "ENXIO")
	is_(call_set(name="tap9", what="up"), "EINVAL")
	is_(call_set(name="tap9", what="up", text="x"), "EINVAL")
	is_(call_set(name="tap9", what="name"), "EINVAL")
	is_(call_set(name="tap9", what="name", value=1), "EINVAL")
	is_(call_set(name="tap9", what="name", value=1, text="x"), "EINVAL")
	is_(call_set(name="tap9", what="name", text="a/b"), "EINVAL")
	is_(call_set(name="tap9", what="name", text="tap0"), "EEXIST")
	# What is said to be a namespace.
	for fds in [[os.pipe()[0]], [seq().fileno()],
	            [os.open("/proc/self/ns/uts", os.O_RDONLY)], []]:
	    is_(call(fds, method="tap.open", name=None, flags=None, netns=0),
	        "EINVAL")
	is_(call([], method="tap.open", name=None, flags=None, netns=15),
	    "EINVAL")
	EOF
	atf_check /usr/bin/python3 hostile.py
	wait_for '[ "$(ifconfig -l)" = tap0 ]'
	coaxd_stop
}

# --- real programs ------------------------------------------------------------

atf_test_case socat
socat_head()
{
	about 60 "socat TUN: a wire between two bridges"
}
socat_body()
{
	need_shim
	need_program socat
	lab
	need_host
	coaxd_start
	station s1 1
	station s2 2
	run ifconfig bridge0 create addm vether1 up
	run ifconfig bridge1 create addm vether2 up
	background socat coax run -- socat \
	    TUN,tun-type=tap,iff-no-pi,tun-name=tap5,iff-up \
	    TUN,tun-type=tap,iff-no-pi,tun-name=tap6,iff-up
	socat_pid=$bg_pid
	wait_for 'ifconfig tap6 | grep -q "<UP"'
	run ifconfig bridge0 addm tap5
	run ifconfig bridge1 addm tap6
	pings s1 192.0.2.2
	[ "$(field tap5 counters.ipackets)" -gt 0 ] || fail "not through tap5"
	kill "$socat_pid"
	wait_for '! ifconfig tap5 && ! ifconfig tap6'
	coaxd_stop
}

# overlay: 198.51.100.2 answers from s1 over tap9, and carries TCP.
overlay_works()
{
	pings s1 198.51.100.2
	[ "$(in_vnet s1 cat /proc/net/dev | grep -c tap9)" -eq 1 ] ||
	    fail "tap9 is not in the caller's namespace"
	head -c 300000 /dev/urandom >sent
	background recv coax jexec s2 socat -u TCP-LISTEN:7000 CREATE:received
	recv_pid=$bg_pid
	wait_for 'coax jexec s2 ss -Hltn | grep -q :7000'
	atf_check coax jexec s1 socat -u FILE:sent TCP:198.51.100.2:7000
	wait "$recv_pid"
	cmp sent received || fail "it is not what was sent"
}

# guests: how many namespaces that are no vnet have host sides.
guests()
{
	coax vnet list | grep -c '^netns-'
}

atf_test_case stranger
stranger_head()
{
	about 90 "A program in a namespace that is no vnet has its netdev there"
}
stranger_body()
{
	need_shim
	need_program socat nsenter
	lab
	need_host
	coaxd_start
	switch 1
	background stranger unshare -n coax run -- socat \
	    TUN:192.0.2.9/24,tun-type=tap,iff-no-pi,tun-name=tap5,iff-up \
	    TUN,tun-type=tap,iff-no-pi,tun-name=tap6,iff-up
	socat_pid=$bg_pid
	wait_for 'ifconfig tap6 | grep -q "<UP"'
	# It has the names that it asked for, at home, and its netdevs are with
	# it.
	shows 'vnet: netns-[0-9]+' ifconfig tap5
	atf_check -o match:'tap5.*192.0.2.9' \
	    nsenter -t "$socat_pid" -n ip -o -4 address show
	atf_check -s not-exit:0 -o ignore -e ignore ip link show tap5
	run ifconfig bridge0 addm tap6
	pings s1 192.0.2.9
	# Commands from there act at home, as before.
	nsenter -t "$socat_pid" -n "$COAX_BUILD/coax" ifconfig -l >list.out
	grep -q bridge0 list.out || fail "$(cat list.out)"
	[ "$(guests)" -eq 1 ] || fail "$(coax vnet list)"
	# Its netdev there follows, whoever changes what.
	run ifconfig tap5 mtu 1400
	wait_for 'nsenter -t "$socat_pid" -n ip link show tap5 |
	    grep -q "mtu 1400"'
	run nsenter -t "$socat_pid" -n ip link set tap5 down
	wait_for '! ifconfig tap5 | grep -q "<UP"'
	# A second one in the same place; a name that is taken there.
	run nsenter -t "$socat_pid" -n ip link add tap7 type veth peer name x
	atf_check -s exit:1 -o ignore -e match:'File exists' \
	    nsenter -t "$socat_pid" -n "$COAX_BUILD/coax" run -- socat \
	    TUN,tun-type=tap,iff-no-pi,tun-name=tap7 -
	atf_check -o match:'^[0-9]+: tap0' nsenter -t "$socat_pid" -n \
	    "$COAX_BUILD/coax" tap tap -- ip -o link show tap0
	[ "$(guests)" -eq 1 ] || fail "$(coax vnet list)"
	# Somebody makes a vnet of it.
	run coax vnet attach box "$socat_pid"
	wait_for '[ "$(guests)" -eq 0 ]'
	shows 'vnet: box' ifconfig tap5
	run nsenter -t "$socat_pid" -n ip link set tap5 up
	wait_for 'ifconfig tap5 | grep -q "<UP"'
	pings s1 192.0.2.9
	kill "$socat_pid"
	wait_for '! ifconfig tap5 && ! ifconfig tap6'
	# One that is made to stay, stays with its namespace.
	unshare -n coax run -- "$COAX_BUILD/tests/system/shim_probe" \
	    persist on || fail "persist"
	shows 'vnet: netns-[0-9]+' ifconfig vpn0
	run ifconfig vpn0 destroy
	wait_for '[ "$(guests)" -eq 0 ]'
	coaxd_stop
}

atf_test_case openvpn
openvpn_head()
{
	about 90 "OpenVPN in tap mode, between two vnets over a bridge"
}
openvpn_body()
{
	need_shim
	need_program openvpn socat
	lab
	need_host
	coaxd_start
	switch 2
	openvpn --genkey secret key >/dev/null 2>&1
	for n in 1 2; do
		background "openvpn$n" coax jexec "s$n" coax run -- openvpn \
		    --dev tap9 --dev-type tap --proto udp \
		    --local "192.0.2.$n" --remote "192.0.2.$((3 - n))" \
		    --port 5000 --secret key --cipher AES-256-CBC \
		    --ifconfig "198.51.100.$n" 255.255.255.0
		eval "vpn_$n=\$bg_pid"
	done
	overlay_works
	kill "$vpn_1" "$vpn_2"
	wait_for '! coax jexec s1 ip link show tap9'
	coaxd_stop
}

atf_test_case tinc
tinc_head()
{
	about 90 "tinc as a switch, between two vnets over a bridge"
}
tinc_body()
{
	need_shim
	need_program tincd socat
	lab
	need_host
	coaxd_start
	switch 2
	for n in 1 2; do
		mkdir -p "tinc$n/hosts"
		printf '%s\n' "Name = n$n" 'Mode = switch' 'DeviceType = tap' \
		    'Device = /dev/net/tun' 'Interface = tap9' \
		    "ConnectTo = n$((3 - n))" 'AddressFamily = ipv4' \
		    >"tinc$n/tinc.conf"
		echo "Address = 192.0.2.$n" >"tinc$n/hosts/n$n"
		cat >"tinc$n/tinc-up" <<-EOF
		#! /bin/sh
		ip address add 198.51.100.$n/24 dev "\$INTERFACE"
		ip link set "\$INTERFACE" up
		EOF
		chmod 755 "tinc$n/tinc-up"
		tincd -c "$PWD/tinc$n" -K1024 </dev/null >key.out 2>&1
	done
	cp tinc1/hosts/n1 tinc2/hosts/
	cp tinc2/hosts/n2 tinc1/hosts/
	for n in 1 2; do
		background "tincd$n" coax jexec "s$n" coax run -- tincd -D -d3 \
		    -c "$PWD/tinc$n" --pidfile="$PWD/tinc$n/pid"
		eval "vpn_$n=\$bg_pid"
	done
	overlay_works
	kill "$vpn_1" "$vpn_2"
	coaxd_stop
}

atf_test_case qemu
qemu_head()
{
	about 240 "QEMU -netdev tap, vnet_hdr: DHCP, 1 MB of TCP to it, is pinged"
}
qemu_body()
{
	need_shim
	need_qemu
	lab
	need_host
	coaxd_start
	switch 1
	mkdir www
	printf '%s\n' '#!ipxe' 'imgfetch http://192.0.2.1:8080/big' \
	    'imgfetch http://192.0.2.1:8080/done' 'sleep 1000' >www/boot.ipxe
	head -c 1000000 /dev/urandom >www/big
	echo done >www/done
	dhcp_server --dhcp-boot=http://192.0.2.1:8080/boot.ipxe
	background qemu coax run -- qemu-system-x86_64 -M pc,accel=tcg -m 64 \
	    -display none -serial none -monitor none -boot n \
	    -netdev tap,id=n,ifname=tap8,script=no,downscript=no,vnet_hdr=on \
	    -device virtio-net-pci,netdev=n
	qemu_pid=$bg_pid
	plug_guest
	within 120000 'grep -q "GET /done" http.out' ||
	    fail "the guest has not booted: $(cat qemu.out)"
	pings s1 "$(cut -d' ' -f3 leases)"
	kill "$qemu_pid"
	wait_for '! ifconfig tap8'
	kill "$http_pid" "$dnsmasq_pid"
	coaxd_stop
}

# guest_initrd KERNEL: makes ./initrd, and says which image it is for. Its first
# process pings what the kernel's command line calls peer=, fetches from port 7001
# there and sends what it has got to 7002.
guest_initrd()
{
	kernel_image=$(printf '%s\n' "$1"/boot/vmlinuz-*cloud* | sort -V |
	    tail -n 1)
	kernel_version=${kernel_image##*/vmlinuz-}
	mkdir -p initrd.d/bin initrd.d/dev initrd.d/m initrd.d/proc
	cp "$(command -v busybox)" initrd.d/bin/busybox
	for word in sh mount insmod ip ping nc poweroff cat sed; do
		ln -s busybox "initrd.d/bin/$word"
	done
	PATH=$PATH:/usr/sbin:/sbin modprobe -d "$1" -S "$kernel_version" -aD \
	    virtio_pci virtio_net 2>/dev/null | awk '/^insmod/ && !n[$2]++ {
		printf "cp %s initrd.d/m/%02d.ko\n", $2, ++i }' >copy
	sh ./copy || fail "the modules: $(cat copy)"
	cat >initrd.d/init <<-'END'
	#!/bin/sh
	export PATH=/bin
	mount -t proc proc /proc
	mount -t devtmpfs dev /dev
	for m in /m/*; do insmod $m; done
	peer=$(sed 's/.*peer=\([^ ]*\).*/\1/' /proc/cmdline)
	ip link set eth0 up && ip addr add 192.0.2.20/24 dev eth0
	if ping -c 3 $peer && nc $peer 7001 >/got && nc $peer 7002 </got; then
		echo "guest: done"
	else
		echo "guest: failed"
	fi
	cat # till the end
	END
	chmod +x initrd.d/init
	(cd initrd.d && find . | cpio -o -H newc --quiet) >initrd
}

# plug_guest: the tap of QEMU's that is called tap8, in background as qemu.
plug_guest()
{
	wait_for 'ifconfig tap8 || ! kill -0 "$qemu_pid"'
	kill -0 "$qemu_pid" || fail "qemu: $(cat qemu.out)"
	run ifconfig tap8 up
	run ifconfig bridge0 addm tap8
	# As QEMU has asked for it.
	coax rpc tap.get '{"name":"tap8"}' | tool json \
	    'v["flags"] & 0x5002 == 0x5002' || fail "no vnet_hdr"
}

atf_test_case qemu_guest
qemu_guest_head()
{
	about 240 "a Linux guest on a tap of QEMU's: pings, TCP both ways, pinged"
}
qemu_guest_body()
{
	need_shim
	need_program qemu-system-x86_64 busybox cpio modprobe socat
	kernel=$("$lib_dir/guest-kernel" 2>&1) || atf_skip "$kernel"
	lab
	need_host
	coaxd_start
	switch 1
	guest_initrd "$kernel"
	head -c 4000000 /dev/urandom >sent
	background out coax jexec s1 socat -u OPEN:sent \
	    TCP-LISTEN:7001,bind=192.0.2.1
	background in coax jexec s1 socat -u TCP-LISTEN:7002,bind=192.0.2.1 \
	    CREATE:back
	background qemu coax run -- qemu-system-x86_64 -M pc,accel=tcg -m 192 \
	    -display none -serial stdio -monitor none -no-reboot \
	    -kernel "$kernel_image" -initrd initrd \
	    -append "console=ttyS0 quiet panic=-1 peer=192.0.2.1" \
	    -netdev tap,id=n,ifname=tap8,script=no,downscript=no,vnet_hdr=on \
	    -device virtio-net-pci,netdev=n
	qemu_pid=$bg_pid
	plug_guest
	within 150000 'grep -q "guest: [df]" qemu.out || ! kill -0 "$qemu_pid"'
	grep -q "guest: done" qemu.out || fail "the guest: $(cat qemu.out)"
	wait_for "cmp sent back"
	grep -q "3 packets received" qemu.out || fail "pings: $(cat qemu.out)"
	pings s1 192.0.2.20
	kill "$qemu_pid"
	wait_for '! ifconfig tap8'
	coaxd_stop
}

atf_test_case qemu_fd
qemu_fd_head()
{
	about 240 "QEMU with inherited taps: tap,fd= under coax run, and dgram"
}
qemu_fd_body()
{
	need_shim
	need_qemu
	lab
	need_host
	coaxd_start
	switch 1
	run ifconfig tap0 create up
	run ifconfig tap1 create up
	run ifconfig bridge0 addm tap0 addm tap1
	dhcp_server
	for how in "coax run -- qemu tap,id=n,fd={fd}" \
	    "qemu dgram,id=n,local.type=fd,local.str={fd}"; do
		mac=52:54:00:00:00:0$((i = ${i-0} + 1))
		run_with=${how%qemu *}
		# shellcheck disable=SC2086 # words
		background qemu coax tap "tap$((i - 1))" -- $run_with \
		    qemu-system-x86_64 -M pc,accel=tcg -m 64 -display none \
		    -serial none -monitor none -boot n \
		    -netdev "${how##* }" \
		    -device virtio-net-pci,netdev=n,mac=$mac
		qemu_pid=$bg_pid
		within 120000 "grep -q $mac leases || ! kill -0 $qemu_pid" ||
		    fail "no lease: $(cat qemu.out)"
		grep -q $mac leases || fail "qemu: $(cat qemu.out)"
		kill "$qemu_pid"
		wait "$qemu_pid" || true
	done
	kill "$http_pid" "$dnsmasq_pid"
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case names
	atf_add_test_case device
	atf_add_test_case passed_on
	atf_add_test_case next_size
	atf_add_test_case waiting
	atf_add_test_case uring
	atf_add_test_case either
	atf_add_test_case little
	atf_add_test_case stranger
	atf_add_test_case sockets
	atf_add_test_case by_name
	atf_add_test_case tun
	atf_add_test_case tun_persist
	atf_add_test_case tun_headers
	atf_add_test_case tun_offload
	atf_add_test_case tun_queues
	atf_add_test_case carrier
	atf_add_test_case destroyed
	atf_add_test_case switched_off
	atf_add_test_case run_errors
	atf_add_test_case set_id
	atf_add_test_case inherited
	atf_add_test_case attach_hostile
	atf_add_test_case socat
	atf_add_test_case openvpn
	atf_add_test_case tinc
	atf_add_test_case qemu
	atf_add_test_case qemu_guest
	atf_add_test_case qemu_fd
}
