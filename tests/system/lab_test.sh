#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# coax lab: private namespaces with a daemon, of which nothing is left. As root
# and as an ordinary user.
#
# shellcheck disable=SC2016,SC2034,SC2094,SC2119,SC2129,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

# may_lab: skip where there can be none.
may_lab()
{
	lib_unshare true 2>unshare.err ||
	    atf_skip "no namespaces here: $(cat unshare.err)"
	[ -x "$COAX_BUILD/coax" ] ||
	    atf_skip "$COAX_BUILD is closed to this user"
	# That of the caller must not be used.
	export COAX_SOCKET=/nonexistent/coax.sock
}

# gone NS: no process is in that network namespace any more.
gone()
{
	wait_for "! readlink /proc/[0-9]*/ns/net 2>/dev/null |
	    grep -qF '$1'"
}

status_of_command()
{
	may_lab
	atf_check -o ignore -e ignore coax lab -- true
	atf_check -s exit:7 -o ignore -e ignore coax lab -- sh -c 'exit 7'
	atf_check -s exit:143 -o ignore -e ignore \
	    coax lab -- sh -c 'kill -TERM $$'
	atf_check -s exit:127 -o ignore -e ignore coax lab -- no-such-command
	atf_check -o inline:'a b\nc\n' -e ignore \
	    coax lab -- printf '%s\n' 'a b' c
	atf_check -o inline:'in\n' -e ignore sh -c 'echo in | coax lab -- cat'
}

nothing_left()
{
	may_lab
	coax lab -- sh -c 'readlink /proc/self/ns/net; coax vnet create a >&2
	    coax jexec a readlink /proc/self/ns/net || true
	    ifconfig tap0 create >&2; sleep 1000 & exit 0' >ns 2>err ||
	    true
	[ -s ns ] || fail "no lab: $(cat err)"
	while read -r ns; do
		[ "$ns" != "$(readlink /proc/self/ns/net)" ] ||
		    fail "it is our own namespace"
		gone "$ns"
	done <ns
	# Also when its first process is killed.
	coax lab -- sh -c 'readlink /proc/self/ns/net; sleep 1000' >ns2 2>err &
	pid=$!
	wait_for '[ -s ns2 ]'
	kill -KILL $pid
	gone "$(cat ns2)"
	# What it made in folders that are ours goes too: when the command has
	# ended, and after a signal to the lab.
	mkdir made
	atf_check -o match:'sock0' -e ignore coax lab -- sh -c \
	    'ifconfig sock0 create listen unix:'"$PWD"'/made/s up >&2
	    ls made/s >&2; ifconfig -l'
	[ -z "$(ls -A made)" ] || fail "left behind: $(ls -A made)"
	coax lab -- sh -c 'ifconfig sock0 create listen unix:'"$PWD"'/made/s up
	    echo up >up; exec sleep 1000' >out 2>err &
	pid=$!
	wait_for '[ -s up ]'
	[ -S made/s ] || fail "it does not listen: $(cat out err)"
	kill -TERM $pid
	wait $pid || true
	[ -z "$(ls -A made)" ] || fail "left behind: $(ls -A made)"
	# And it had nothing to do with our network.
	atf_check -s exit:1 -o ignore -e ignore ip link show tap0
}

commands_inside()
{
	may_lab
	# BSD's names first on the PATH, the daemon of its own.
	coax lab -- sh -c 'command -v ifconfig; command -v sysctl
	    command -v jexec; ifconfig feth0 create && ifconfig -l
	    echo "$COAX_SOCKET"; ls /sys/class/net' >out 2>err ||
	    fail "$(cat err)"
	grep -q 'compat/ifconfig$' out || fail "$(cat out err)"
	grep -q '^feth0$' out || fail "$(cat out err)"
	grep -q '^/run/coax/coax.sock$' out || fail "$(cat out)"
}

with_a_host()
{
	may_lab
	need_host
	cat >inside <<'END'
set -e
coax vnet create alice
coax vnet create bob
ifconfig vether0 create vnet alice up
ifconfig vether1 create vnet bob up
ifconfig bridge0 create addm vether0 addm vether1 up
jexec alice ip address add 192.0.2.1/24 dev vether0
jexec bob ip address add 192.0.2.2/24 dev vether1
jexec alice ping -n -c 1 -w 5 192.0.2.2
ifconfig bridge0 addr
END
	atf_check -o match:'1 received' -o match:' Vlan0 vether1 ' -e ignore \
	    coax lab -- sh inside
}

atf_test_case status
status_head()
{
	about 60 "lab returns the command's status (as who runs the tests)"
}
status_body()
{
	status_of_command
}

atf_test_case status_rootless
status_rootless_head()
{
	about 60 "lab returns the command's status (as an ordinary user)"
	atf_set require.user unprivileged
}
status_rootless_body()
{
	status_of_command
}

atf_test_case leaves_nothing
leaves_nothing_head()
{
	about 60 "lab leaves no process and no namespace"
}
leaves_nothing_body()
{
	nothing_left
}

atf_test_case leaves_nothing_rootless
leaves_nothing_rootless_head()
{
	about 60 "lab leaves no process and no namespace (ordinary user)"
	atf_set require.user unprivileged
}
leaves_nothing_rootless_body()
{
	nothing_left
}

atf_test_case inside
inside_head()
{
	about 60 "Inside, BSD's commands are found and have their daemon"
}
inside_body()
{
	commands_inside
}

atf_test_case inside_rootless
inside_rootless_head()
{
	about 60 "The same for an ordinary user"
	atf_set require.user unprivileged
}
inside_rootless_body()
{
	commands_inside
}

atf_test_case switch
switch_head()
{
	about 60 "The manual's example: two stations, and a ping"
}
switch_body()
{
	with_a_host
}

atf_test_case switch_rootless
switch_rootless_head()
{
	about 60 "The same without root"
}
switch_rootless_body()
{
	ordinary
	with_a_host
}

# An owner of two user namespaces: the daemon is in one, a container in the
# other.  Neither may enter the other's; the client, outside, may enter both.
atf_test_case sibling_namespace
sibling_namespace_head()
{
	about 60 "A client of the owner sets up a netdev in another user namespace"
}
sibling_namespace_body()
{
	ordinary
	may_lab
	need_host
	export COAX_SOCKET="$PWD/coax.sock"
	coaxd_pid='' box_pid=''
	trap '[ -z "$coaxd_pid$box_pid" ] ||
	    kill -KILL $coaxd_pid $box_pid 2>/dev/null' EXIT
	: >coaxd.err
	unshare -Urn "$COAX_BUILD/coaxd" -S "$COAX_SOCKET" 2>coaxd.err &
	coaxd_pid=$!
	wait_for 'grep -q "^coaxd: ready" coaxd.err'
	unshare -Urn sh -c 'echo ready; exec sleep 1000' >box.out &
	box_pid=$!
	wait_for 'grep -q ready box.out'
	run coax vnet attach box "$box_pid"
	run ifconfig vether1 create vnet box mtu 1400 up
	shows '^vether1: flags=[0-9a-f]*<UP,.*mtu 1400' ifconfig vether1
	# What the daemon says is so in there.
	coax jexec box ip -d link show vether1 >link.out
	atf_check -o match:'[<,]UP[,>]' -o match:' mtu 1400 ' \
	    -o match:'addrgenmode none' cat link.out
	atf_check -o match:"link/ether $(mac vether1) " cat link.out
	# What was up before is up there, and what is down stays down.
	run ifconfig vether2 create up
	run ifconfig vether2 vnet box
	shows '[<,]UP[,>]' coax jexec box ip link show vether2
	run ifconfig vether3 create vnet box
	hides '[<,]UP[,>]' coax jexec box ip link show vether3
	# From within the daemon's own there is no way in.
	refused 'Permission denied' nsenter -t "$coaxd_pid" -U -n \
	    --preserve-credentials "$COAX_BUILD/compat/ifconfig" \
	    vether4 create vnet box
	# And frames cross.
	run ifconfig vether0 create inet 192.0.2.1/24 mtu 1400 up
	run ifconfig bridge0 create mtu 1400 addm vether0 addm vether1 up
	run coax jexec box ip address add 192.0.2.2/24 dev vether1
	wait_for 'coax jexec box ping -n -q -c 1 -W 1 192.0.2.1'
	# The container ends: they come home, down.
	kill -KILL "$box_pid"
	wait_for '! coax vnet list | grep -q "^box "'
	wait_for '! ifconfig vether1 | grep -q "<UP"'
	lib_here=yes # the netdevs are not in this namespace
	box_pid=''
	coaxd_stop
}

atf_test_case installed
installed_head()
{
	about 60 "What is installed below a DESTDIR is whole, and runs there"
}
installed_body()
{
	may_lab
	command -v meson >/dev/null || atf_skip "there is no meson"
	[ -w "$COAX_BUILD/meson-logs" ] ||
	    atf_skip "$COAX_BUILD is not this user's"
	atf_check -o ignore -e ignore env DESTDIR="$PWD/x" \
	    meson install -C "$COAX_BUILD" --no-rebuild
	prefix=$PWD/x$(meson introspect --buildoptions "$COAX_BUILD" |
	    /usr/bin/python3 -c 'import json, sys
print([o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"][0])')
	for f in bin/coax sbin/coaxd include/coax/coax.h include/coax/tap.h; do
		[ -s "$prefix/$f" ] || fail "no $f"
	done
	for f in libcoax.so libcoax.so.0 coax.pc coax.1 coax_tap.3 bridge.4 \
	    epair.4 feth.4 tap.4 vether.4 vlan.4 coax-drops.7 coax-run.1 \
	    coax-ifconfig.8 coaxd.8; do
		[ -n "$(find "$prefix" -name "$f*")" ] || fail "no $f"
	done
	PATH=/usr/bin:/bin
	for f in ifconfig sysctl jexec; do
		[ -x "$prefix/libexec/coax/compat/$f" ] || fail "no $f"
	done
	"$prefix/bin/coax" lab -- sh -c 'command -v ifconfig
	    ifconfig feth0 create && ifconfig -l' >out 2>err ||
	    fail "$(cat err)"
	atf_check -o match:"^$prefix.*compat/ifconfig\$" -o match:'^feth0$' \
	    cat out
}

# closed_device: skip where the device is open, or there is none.
closed_device()
{
	may_lab
	[ -c /dev/net/tun ] || atf_skip "there is no /dev/net/tun"
	[ ! -w /dev/net/tun ] || atf_skip "/dev/net/tun is open to this user"
}

atf_test_case device_closed
device_closed_head()
{
	about 60 "Without access to the device the lab says so once, and works"
	atf_set require.user unprivileged
}
device_closed_body()
{
	closed_device
	coax lab -- sh -c 'coax status; ifconfig tap create' >out 2>err ||
	    fail "$(cat err)"
	atf_check -o inline:'1\n' sh -c 'wc -l <err'
	atf_check -o match:'no host side: /dev/net/tun is closed.*chmod 0666' \
	    cat err
	atf_check -o match:'^host side: none: /dev/net/tun is closed to this' \
	    -o not-match:'coax lab' -o match:'^tap0$' cat out
	# Outside, that a lab is needed as well.
	"$COAX_BUILD/coaxd" -S "$PWD/coax.sock" 2>coaxd.err &
	pid=$!
	wait_for 'grep -q "^coaxd: ready" coaxd.err'
	atf_check -o match:'chmod 0666.*then run inside .coax lab' \
	    coax -S "$PWD/coax.sock" status
	kill "$pid"
	wait "$pid"
}

atf_test_case demo_without_device
demo_without_device_head()
{
	about 60 "The demo shows taps and feths alone there, and why"
	atf_set require.user unprivileged
}
demo_without_device_body()
{
	closed_device
	demo=$lib_dir/../../examples/demo.sh
	[ -x "$demo" ] || atf_skip "the demo is not here"
	sanitized && atf_skip "Python cannot load a sanitized libcoax"
	atf_check -o match:'taps and feths' -o match:'/dev/net/tun is' \
	    -o match:'2000 arrived unchanged' -o not-match:'rootless' \
	    -o match:'^All of it worked' "$demo" "$COAX_BUILD"
}

atf_init_test_cases()
{
	atf_add_test_case status
	atf_add_test_case status_rootless
	atf_add_test_case leaves_nothing
	atf_add_test_case leaves_nothing_rootless
	atf_add_test_case inside
	atf_add_test_case inside_rootless
	atf_add_test_case switch
	atf_add_test_case switch_rootless
	atf_add_test_case sibling_namespace
	atf_add_test_case installed
	atf_add_test_case device_closed
	atf_add_test_case demo_without_device
}
