#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# ifconfig impair: a bad wire, either way, changed while it is in use.
#
# shellcheck disable=SC2016,SC2034,SC2094,SC2119,SC2129,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

# wire: feth0 and feth1, peered and up; both are cards of this namespace.
wire()
{
	lab
	need_host
	coaxd_start
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 up
}

end=$(printf 'ffffffffffff02000000000288b6%092d' 0)

# between LOW HIGH N WHAT: LOW <= N <= HIGH
between()
{
	if [ "$3" -lt "$1" ] || [ "$3" -gt "$2" ]; then
		fail "$3 $4, not from $1 to $2"
	fi
}

# numbers FILE COUNT TOTAL: sends COUNT numbered frames from feth0, which then
# has had TOTAL; those that reach feth1 are in FILE, as numbers, as they came.
numbers()
{
	capture_start feth1 "$1.cap"
	tool sendnum feth0 "$2"
	wait_for '[ "$(field feth0 impair.out.frames)" -ge '"$3"' ]'
	# A mark behind them: the wire is a good one for it.
	run ifconfig feth0 impair out loss 0 duplicate 0
	tool send feth0 "$end"
	marked 02000000000288b6 "$1.cap"
	kill "$capture_pid"
	sed -n 's/^f\{12\}02000000000188b5\(.\{8\}\).*/\1/p' "$1.cap" >"$1"
}

atf_test_case seed
seed_head()
{
	about 60 "The same seed and input: the same frames are lost and doubled"
}
seed_body()
{
	wire
	run ifconfig feth0 impair out loss 30% duplicate 20% seed 7
	numbers a 200 200
	run ifconfig feth0 -impair
	run ifconfig feth0 impair out loss 30% duplicate 20% seed 7
	numbers b 200 200
	cmp a b || fail "one seed, two fates"
	run ifconfig feth0 -impair
	run ifconfig feth0 impair out loss 30% duplicate 20% seed 8
	numbers c 200 200
	! cmp -s a c || fail "two seeds, one fate"
	# Both happened, and what is missing was counted.
	n=$(sort -u a | wc -l)
	between 91 189 "$n" "of 200 came"
	[ "$(sort a | uniq -d | wc -l)" -gt 5 ] || fail "no duplicates"
	[ "$(field feth0 impair.out.lost)" -eq $((200 - $(sort -u c | wc -l))) ] ||
	    fail "lost and missing differ"
	shows 'impair-loss' coax drops feth0
	coaxd_stop
}

# least FROM TO FILE: the shortest round trip of a ping is so long, in ms.
least()
{
	lib_ms=$(sed -n 's/^rtt .* = \([0-9]*\)\..*/\1/p' "$3")
	between "$1" "$2" "$lib_ms" "ms: $(tail -n 1 "$3")"
}

atf_test_case rtt
rtt_head()
{
	about 60 "A delay each way is in every answer, from now on and no longer"
	atf_set require.progs ping
}
rtt_body()
{
	lab
	need_host
	coaxd_start
	switch 2
	pings s1 192.0.2.2
	run ifconfig vether1 impair delay 60ms
	coax jexec s1 ping -n -q -c 3 -i 0.2 -W 5 192.0.2.2 >ping.out ||
	    fail "no answer: $(cat ping.out)"
	# Not less than both together, nor twice as much.
	least 120 239 ping.out
	run ifconfig vether1 -impair in
	coax jexec s1 ping -n -q -c 3 -i 0.2 -W 5 192.0.2.2 >ping.out ||
	    fail "no answer: $(cat ping.out)"
	least 60 119 ping.out
	# Nothing comes any more, and everything again.
	run ifconfig vether1 impair in loss 100%
	unpingable s1 192.0.2.2
	[ "$(dropped vether1 impair-loss)" -ge 2 ] || fail "not counted"
	run ifconfig vether1 -impair
	pings s1 192.0.2.2
	hides impair ifconfig vether1
	coaxd_stop
}

atf_test_case rate
rate_head()
{
	about 60 "200 frames of 1250 bytes at 10 Mbit/s take 200 ms"
}
rate_body()
{
	wire
	run ifconfig feth0 impair out rate 10Mbit
	capture_start feth1 rate.cap
	start=$(now_ms)
	tool sendnum feth0 200 1250
	wait_for '[ "$(grep -c 02000000000188b5 rate.cap)" -eq 200 ]'
	took=$(($(now_ms) - start))
	[ "$took" -ge 198 ] || fail "$took ms"
	# A queue of ten: the rest is lost and counted.
	run ifconfig feth0 impair out limit 10 rate 1Mbit
	tool sendnum feth0 100 1250
	wait_for '[ "$(field feth0 impair.out.frames)" -eq 300 ] &&
	    [ "$(field feth0 impair.out.held)" -eq 0 ]'
	n=$(dropped feth0 impair-limit)
	between 51 90 "$n" "over the limit"
	wait_for '[ "$(grep -c 02000000000188b5 rate.cap)" -eq \
	    '$((300 - n))' ]'
	kill "$capture_pid"
	coaxd_stop
}

atf_test_case order
order_head()
{
	about 60 "Jitter changes the order unless it is to be kept"
}
order_body()
{
	wire
	run ifconfig feth0 impair out delay 30ms jitter 30ms
	numbers any 100 100
	[ "$(wc -l <any)" -eq 100 ] || fail "$(wc -l <any) of 100"
	! sort -c any 2>/dev/null || fail "in order"
	run ifconfig feth0 impair out order keep
	numbers kept 100 200
	[ "$(wc -l <kept)" -eq 100 ] || fail "$(wc -l <kept) of 100"
	sort -c kept || fail "out of order"
	coaxd_stop
}

atf_test_case tcp
tcp_head()
{
	about 90 "TCP gets through loss, delay, corruption; offloads are in the way of none of them"
}
tcp_body()
{
	lab
	need_host
	coaxd_start
	switch 2
	pings s1 192.0.2.2
	run ifconfig vether1 impair loss 1% delay 2ms jitter 1ms \
	    duplicate 1% corrupt 0.5% reorder 1% seed 1
	# shellcheck disable=SC2086 # words
	in_vnet s2 $lib_tool tcpserve 192.0.2.2 5000 >tcp.out 2>tcp.err &
	wait_for 'grep -q ready tcp.err'
	# shellcheck disable=SC2086 # words
	in_vnet s1 $lib_tool tcpsend 192.0.2.2 5000 1500000 ||
	    fail "not sent"
	wait_for 'grep -q 1500000 tcp.out'
	[ "$(field vether1 impair.in.frames)" -ge 1000 ] ||
	    fail "super-frames met their fate as one"
	for what in lost duplicated corrupted reordered; do
		[ "$(field vether1 "impair.in.$what")" -gt 0 ] ||
		    fail "none was $what"
	done
	coaxd_stop
}

atf_test_case every_kind
every_kind_head()
{
	about 60 "All that have a wire; a bridge says why it has none"
}
every_kind_body()
{
	lab
	need_host
	coaxd_start
	run ifconfig tap0 create up
	run ifconfig vether0 create -host up
	run ifconfig feth0 create -host peer feth1 up
	run ifconfig feth1 -host up
	run ifconfig feth1.7 create -host up
	shows '^epair0a$' ifconfig epair0 create
	run ifconfig epair0a -host up
	run ifconfig epair0b -host up
	run ifconfig sock0 create -host listen "unix:$PWD/s" up
	run ifconfig xnb0 create -host up
	run ifconfig gif0 create tunnel 127.0.0.1 127.0.0.2 up
	# Without addresses: the netdevs say nothing by themselves.
	run ip link add v0 type veth peer name v1
	run ip link set v0 addrgenmode none up
	run ip link set v1 addrgenmode none up
	kinds='tap0 vether0 feth0 feth1.7 epair0a sock0 xnb0 gif0 v0'
	run ifconfig bridge0 create -host up
	refused 'bridge0 has no wire: impair its members' \
	    ifconfig bridge0 impair loss 1%
	run ifconfig lo1 create
	refused 'lo1 has no wire' ifconfig lo1 impair loss 1%
	for i in $kinds; do
		run ifconfig bridge0 addm "$i"
		run ifconfig "$i" impair out loss 100% seed 5
		shows 'impair out: loss 100% seed 5' ifconfig "$i"
	done
	tap_hold
	run ifconfig "$tap_name" up
	run ifconfig bridge0 addm "$tap_name"
	tap_do write "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:01 88b5 all)"
	# The vether has no host, the sock no peer, and nobody reads from the
	# tap and the ring, but their wire is in front of that.
	for i in $kinds; do
		wait_for "[ \"\$(dropped $i impair-loss)\" -eq 1 ]"
	done
	run ifconfig "$tap_name" impair in loss 100%
	tap_do write "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:01 88b5 all)"
	wait_for '[ "$(dropped "$tap_name" impair-loss)" -eq 1 ]'
	# Destroyed with frames on their way.
	run ifconfig "$tap_name" impair in loss 0 delay 10s
	tap_do write "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:01 88b5 all)"
	wait_for '[ "$(field "$tap_name" impair.in.held)" -eq 1 ]'
	tap_release
	run ifconfig feth0 destroy
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case seed
	atf_add_test_case rtt
	atf_add_test_case rate
	atf_add_test_case order
	atf_add_test_case tcp
	atf_add_test_case every_kind
}
