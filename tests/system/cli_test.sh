#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# The commands as typed: what they print, refuse and return.
#
# shellcheck disable=SC2016,SC2034,SC2094,SC2119,SC2129,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

atf_test_case no_daemon
no_daemon_head()
{
	about 30 "Without a daemon each command says so on one line, exit 1"
}
no_daemon_body()
{
	export COAX_SOCKET="$PWD/none.sock"
	for cmd in "ifconfig -a" "sysctl -a" "drops" "monitor" "vnet list" \
	    "rpc ping" "xen" "jexec home true"; do
		# shellcheck disable=SC2086 # words
		refused 'coaxd -d.*coax lab|coax lab.*coaxd -d' coax $cmd
		# shellcheck disable=SC2086
		coax $cmd 2>err && fail "coax $cmd succeeded"
		[ "$(wc -l <err)" -eq 1 ] || fail "coax $cmd: $(cat err)"
	done
	refused 'coax lab' coax -S "$PWD/other.sock" ifconfig -l
	refused 'other.sock' coax -S "$PWD/other.sock" ifconfig -l
	# A socket that nobody listens on is the same.
	/usr/bin/python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$COAX_SOCKET"
	refused 'coax lab' coax ifconfig -l
}

atf_test_case usage
usage_head()
{
	about 30 "Wrong usage: the usage on standard error, exit 1"
}
usage_body()
{
	lab_or_here
	coaxd_start
	refused '^usage: coax' coax
	refused '^usage: coax' coax -x
	refused 'no such command.*ifconfig' coax ifconfg
	refused 'no such command' coax completely-different
	refused 'usage: *ifconfig' coax ifconfig -Q
	refused 'usage: *sysctl' coax sysctl
	refused '^usage: coax rpc' coax rpc
	refused '^usage: coax vnet' coax vnet
	refused 'usage: *jexec' jexec
	shows '^usage: coax' coax --help
	shows '^usage: coax' coax help
	shows '^usage: coax lab ' coax help lab
	shows '^usage: coax help$' coax help help
	refused 'no such command.*status' coax help statu
	shows '^coax [0-9]' coax --version
	shows '^coaxd [0-9]' coaxd --version
	shows '^usage: coaxd' coaxd --help
	atf_check -s exit:1 -o empty -e match:'^usage: coaxd' coaxd -x
	atf_check -s exit:1 -o empty -e match:'coaxd: .*-p' coaxd -p many
	atf_check -s exit:1 -o empty -e match:'no such group' \
	    coaxd -S "$PWD/x.sock" -g no-such-group
	coaxd_stop
}

atf_test_case unknown_word
unknown_word_head()
{
	about 30 "A wrong word names the closest right one; nothing is done"
}
unknown_word_body()
{
	lab_or_here
	coaxd_start
	run ifconfig bridge0 create
	run ifconfig tap0 create
	refused 'deletem' ifconfig bridge0 up deletmm tap0
	refused 'addm' ifconfig bridge0 up adm tap0
	refused 'mtu' ifconfig tap0 up mtuu 1400
	refused 'peer' sh -c 'ifconfig feth0 create up pear feth1'
	# Parsed as a whole before the first word is carried out.
	hides '<UP' ifconfig bridge0
	hides '<UP' ifconfig tap0
	refused 'does not exist' ifconfig feth0
	refused 'mtu .*number' ifconfig tap0 up mtu 12x
	refused 'requires argument|usage|argument' ifconfig tap0 up mtu
	hides '<UP' ifconfig tap0
	# A word of another kind.
	refused 'addm|bad value' ifconfig tap0 addm bridge0
	coaxd_stop
}

atf_test_case left_to_right
left_to_right_head()
{
	about 30 "Words act from left to right; those before a refusal stay"
}
left_to_right_body()
{
	lab_or_here
	coaxd_start
	run ifconfig bridge0 create
	run ifconfig tap0 create
	refused 'BRDGADD tap7: ' ifconfig bridge0 addm tap0 addm tap7 up
	shows 'member: tap0' ifconfig bridge0
	hides '<UP' ifconfig bridge0
	refused 'BRDGADD tap0: File exists' ifconfig bridge0 addm tap0
	refused 'BRDGDEL tap7: ' ifconfig bridge0 deletem tap7
	# A print-out in the middle shows what holds there.
	run ifconfig bridge0 up down
	hides '<UP' ifconfig bridge0
	coaxd_stop
}

atf_test_case listings
listings_head()
{
	about 30 "-a -l -u -d -g -C -v list what they say"
}
listings_body()
{
	lab_or_here
	coaxd_start
	atf_check -o inline:'\n' ifconfig -l
	atf_check -o empty ifconfig -a
	run ifconfig tap0 create
	run ifconfig feth0 create up
	run ifconfig bridge0 create up
	run ifconfig feth0 group wires
	ifconfig -l >l
	tr ' ' '\n' <l | sort >sorted
	printf 'bridge0\nfeth0\ntap0\n' >want
	atf_check -o file:want cat sorted
	[ "$(wc -l <l)" -eq 1 ] || fail "-l takes several lines"
	shows '^feth0 bridge0$|^bridge0 feth0$' ifconfig -l -u
	atf_check -o inline:'tap0\n' ifconfig -l -d
	atf_check -o inline:'feth0\n' ifconfig -l -g wires
	shows '^feth0: ' ifconfig -a -g wires
	hides '^tap0: ' ifconfig -a -g wires
	for i in tap0 feth0 bridge0; do
		shows "^$i: flags=" ifconfig -a
		shows "^$i: flags=" ifconfig
	done
	shows '^feth0: ' ifconfig -a -u
	hides '^tap0: ' ifconfig -a -u
	shows '^tap0: ' ifconfig -a -d
	hides '^feth0: ' ifconfig -a -d
	for k in tap feth bridge; do
		shows "(^| )$k( |\$)" ifconfig -C
	done
	hides 'ipackets' ifconfig tap0
	shows 'ipackets 0' ifconfig -v tap0
	# The generic first line has the MTU in its sixth field, for awk.
	for i in tap0 feth0 bridge0; do
		atf_check -o inline:'mtu 1500\n' sh -c \
		    "ifconfig $i | awk 'NR == 1 { print \$5, \$6 }'"
	done
	coaxd_stop
}

atf_test_case json
json_head()
{
	about 30 "--json gives every listing as JSON"
}
json_body()
{
	lab_or_here
	coaxd_start
	run ifconfig feth0 create peer feth1 up
	coax ifconfig --json feth0 >j
	grep -q '"peer": "feth1"' j || fail "$(cat j)"
	[ "$(tool get 0.name none <j)$(tool get name none <j)" != nonenone ] ||
	    fail "not feth0"
	for cmd in "ifconfig -a" "ifconfig -l" "ifconfig -C" "drops" \
	    "vnet list" "list" "xen" "status" "sysctl -a"; do
		# shellcheck disable=SC2086 # words
		coax $cmd --json >j || fail "coax $cmd --json"
		tool json 'v is not None' <j || fail "coax $cmd: $(cat j)"
		# shellcheck disable=SC2086
		coax --json $cmd >k || fail "coax --json $cmd"
		tool json 'v is not None' <k
	done
	coax rpc iface.list >j
	tool json '(len(v) == 2 and v[0]["kind"] == "feth"
	    and v[0]["counters"]["ipackets"] == 0
	    and v[0]["ether"] == "66:65:74:68:00:00")' <j ||
	    fail "$(cat j)"
	coax --json rpc rpc.methods >j
	tool json 'any(m["name"] == "iface.get" and m["read_only"] for m in v)' \
	    <j || fail "no iface.get"
	coaxd_stop
}

atf_test_case create_and_destroy
create_and_destroy_head()
{
	about 30 "A kind without a number takes the lowest free unit"
}
create_and_destroy_body()
{
	lab_or_here
	coaxd_start
	for k in tap feth bridge; do
		atf_check -o inline:"${k}0\n" ifconfig $k create
		atf_check -o inline:"${k}1\n" ifconfig $k create
		run ifconfig ${k}3 create
		run ifconfig ${k}0 destroy
		atf_check -o inline:"${k}0\n" ifconfig $k create
		atf_check -o inline:"${k}2\n" ifconfig $k create
		atf_check -o inline:"${k}4\n" ifconfig $k create
		refused "interface ${k}4 already exists" \
		    ifconfig ${k}4 create
		for i in 0 1 2 3 4; do
			run ifconfig $k$i destroy
		done
		refused "does not exist" ifconfig ${k}0
		refused "${k}0" ifconfig ${k}0 destroy
	done
	refused 'SIOCIFCREATE2.*: Invalid argument' ifconfig nosuch0 create
	refused . ifconfig tap0x create
	refused . ifconfig tap00 create
	refused . ifconfig tap99999999999 create
	coaxd_stop
}

atf_test_case names_and_groups
names_and_groups_head()
{
	about 30 "Renaming, descriptions and groups"
}
names_and_groups_body()
{
	lab_or_here
	coaxd_start
	run ifconfig tap0 create
	run ifconfig tap1 create
	atf_check -o ignore ifconfig tap0 name uplink description 'to the sky'
	shows '^uplink: ' ifconfig uplink
	shows 'description: to the sky' ifconfig uplink
	refused 'does not exist' ifconfig tap0
	refused 'File exists' ifconfig tap1 name uplink
	# The unit is still in use.
	refused 'interface tap0 already exists' ifconfig tap0 create
	refused 'unit 0 of tap lives under another name' ifconfig tap0 create
	refused 'every interface' ifconfig uplink name all
	run ifconfig uplink -description group lab group two
	hides 'description' ifconfig uplink
	shows 'groups: tap lab two' ifconfig uplink
	run ifconfig uplink -group lab
	hides 'groups:.* lab' ifconfig uplink
	refused . ifconfig uplink -group lab
	refused . ifconfig uplink name 'a/b'
	refused . ifconfig uplink name 'sixteen-letters-'
	run ifconfig uplink destroy
	coaxd_stop
}

atf_test_case addresses_of_the_link
addresses_of_the_link_head()
{
	about 30 "ether, lladdr, link ... active: and what is no address"
}
addresses_of_the_link_body()
{
	lab_or_here
	coaxd_start
	run ifconfig tap0 create
	shows 'ether f2:0b:a4:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]:[0-9a-f]' \
	    ifconfig tap0
	run ifconfig tap0 ether 02:00:5e:00:53:01
	shows 'ether 02:00:5e:00:53:01' ifconfig tap0
	run ifconfig tap0 lladdr 2:0:5e:0:53:2
	shows 'ether 02:00:5e:00:53:02' ifconfig tap0
	run ifconfig tap0 link 02:00:5e:00:53:03 active
	shows 'ether 02:00:5e:00:53:03' ifconfig tap0
	for bad in 01:00:5e:00:00:01 ff:ff:ff:ff:ff:ff 02:00:5e:00:53 \
	    02:00:5e:00:53:01:02 zz:00:5e:00:53:01 ''; do
		refused . ifconfig tap0 ether "$bad"
	done
	shows 'ether 02:00:5e:00:53:03' ifconfig tap0
	coaxd_stop
}

atf_test_case sysctls
sysctls_head()
{
	about 30 "sysctl: get, set, -a -n -d -i, and its refusals"
}
sysctls_body()
{
	lab_or_here
	coaxd_start
	atf_check -o inline:'net.link.fake.max_mtu: 2048\n' \
	    sysctl net.link.fake.max_mtu
	atf_check -o inline:'2048\n' sysctl -n net.link.fake.max_mtu
	atf_check -o inline:'net.link.fake.max_mtu: 2048 -> 9000\n' \
	    sysctl net.link.fake.max_mtu=9000
	shows '^net.link.fake.max_mtu: 9000$' sysctl -a
	shows '^net.link.fake.max_mtu: 9000$' sysctl net.link.fake
	shows 'MTU' sysctl -d net.link.fake.max_mtu
	# As the original: the old value, then why it stays.
	for bad in 70000 -1; do
		atf_check -s exit:1 -o match:'^net.link.fake.max_mtu: 9000$' \
		    -e match:'Invalid argument' \
		    sysctl "net.link.fake.max_mtu=$bad"
	done
	for bad in many ''; do
		refused 'invalid|Invalid|bad|empty' sysctl "net.link.fake.max_mtu=$bad"
	done
	refused "unknown oid 'net.link.nosuch'" sysctl net.link.nosuch
	run sysctl -i net.link.nosuch
	run ifconfig feth0 create
	run ifconfig feth0 mtu 9000
	refused 'SIOCSIFMTU' ifconfig feth0 mtu 9001
	# A tap's address is a variable as well.
	run ifconfig tap0 create
	atf_check -o inline:"$(mac tap0)\n" sysctl -n net.link.tap.tap0
	atf_check -o match:'-> 02:00:5e:00:53:0a$' \
	    sysctl net.link.tap.tap0=02:00:5e:00:53:0a
	shows 'ether 02:00:5e:00:53:0a' ifconfig tap0
	atf_check -s exit:1 -o ignore -e match:'Invalid argument' \
	    sysctl net.link.tap.tap0=nonsense
	shows 'ether 02:00:5e:00:53:0a' ifconfig tap0
	coaxd_stop
}

atf_test_case without_a_host
without_a_host_head()
{
	about 30 "Where there can be no host, the switch works and says so"
	atf_set require.user unprivileged
}
without_a_host_body()
{
	export COAX_SOCKET="$PWD/coax.sock"
	# No namespace here: an ordinary user has no CAP_NET_ADMIN.
	lib_here=yes
	trap 'kill -KILL "$coaxd_pid"' EXIT
	coaxd_start
	grep -q 'no host side' coaxd.err || fail "$(cat coaxd.err)"
	shows 'host side: none' coax status
	taps
	scenario one_call_one_frame tap0 tap1
	refused . ifconfig tap0 host
	refused . ifconfig tap0 inet 192.0.2.1/24
	refused . coax vnet create alice
	trap - EXIT
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case no_daemon
	atf_add_test_case usage
	atf_add_test_case unknown_word
	atf_add_test_case left_to_right
	atf_add_test_case listings
	atf_add_test_case json
	atf_add_test_case create_and_destroy
	atf_add_test_case names_and_groups
	atf_add_test_case addresses_of_the_link
	atf_add_test_case sysctls
	atf_add_test_case without_a_host
}
