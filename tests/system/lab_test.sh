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
	atf_set require.user unprivileged
}
switch_rootless_body()
{
	with_a_host
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
}
