#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# No frame disappears without a reason.
#
# shellcheck disable=SC2016,SC2034,SC2094,SC2119,SC2129,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

start()
{
	lab
	need_host
	coaxd_start "$@"
}

f=$(printf 'ffffffffffff02000000000188b5%092d' 0)

# counts IF REASON N
counts()
{
	wait_for "[ \"\$(dropped $1 $2)\" -eq $3 ]"
	shows "^$1  *$2  *$3  " coax drops "$1"
}

atf_test_case nothing
nothing_head()
{
	about 30 "No drops are said to be none; an unknown interface is refused"
}
nothing_body()
{
	lab_or_here
	coaxd_start
	atf_check -o inline:'no drops\n' coax drops
	run ifconfig feth0 create
	atf_check -o inline:'no drops\n' coax drops feth0
	refused 'feth9' coax drops feth9
	coaxd_stop
}

atf_test_case wire
wire_head()
{
	about 30 "no-peer, peer-down and no-stack"
}
wire_body()
{
	start
	run ifconfig feth0 create up
	run ifconfig feth1 create -host up
	# No peer: no carrier, so the host sends nothing. A bridge does.
	run ifconfig tap0 create up
	run ifconfig bridge0 create addm tap0 addm feth0 up
	run ifconfig bridge0 -host
	tap_hold tap0
	tap_say write "$f"
	wait_for '[ "$(dropped feth0 no-peer)" -eq 1 ] ||
	    [ "$(dropped tap0 no-port)" -eq 1 ]'
	run ifconfig feth0 peer feth1
	tap_say write "$f"
	counts feth1 no-stack 1
	run ifconfig feth1 down
	tap_say write "$f"
	counts feth0 peer-down 1
	[ "$(field feth0 counters.oerrors)" -ge 1 ] || fail "no oerrors"
	# It is received on an interface that is down.
	run ifconfig tap0 down
	tap_say write "$f"
	counts tap0 if-down-in 1
	tap_release
	coaxd_stop
}

atf_test_case host_queue
host_queue_head()
{
	about 60 "What the host's own queue loses is counted too"
}
host_queue_body()
{
	start
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 -host up
	kill -STOP "$coaxd_pid"
	tool send feth0 "$f" 3000
	kill -CONT "$coaxd_pid"
	# All 3000 are accounted for.
	wait_for '[ "$(dropped feth0 host-queue)" -gt 0 ]'
	wait_for '[ $(($(dropped feth0 host-queue) +
	    $(field feth0 counters.opackets))) -eq 3000 ]'
	shows 'host-queue' coax drops
	coaxd_stop
}

atf_test_case queue_full
queue_full_head()
{
	about 60 "A tap that nobody reads from: queue-full, and all add up"
}
queue_full_body()
{
	lab_or_here
	coaxd_start
	taps
	scenario never_reads tap0 tap1
	wait_for '[ "$(field tap0 counters.ipackets)" -eq 4001 ]'
	[ "$(dropped tap1 queue-full)" -gt 0 ] ||
	    [ "$(dropped tap1 queue-bytes)" -gt 0 ] || fail "none"
	coax drops --json >j
	tool json 'any(d["iface"] == "tap1" for d in v["drops"])' <j ||
	    fail "$(cat j)"
	coaxd_stop
}

atf_test_case pool_empty
pool_empty_head()
{
	about 60 "Out of frames: counted, and well again without a restart"
}
pool_empty_body()
{
	start --frames 64 --large-frames 64
	run ifconfig feth0 create peer feth1 up
	run ifconfig feth1 up
	# A stalled wire holds every frame that there is.
	run ifconfig feth0 stall
	tool send feth0 "$f" 400
	wait_for '[ "$(dropped feth0 no-frame)" -gt 0 ]'
	coax rpc pool.get >pool
	tool json 'v["failures"] > 0' <pool || fail "$(cat pool)"
	held=$(field feth0 feth.held)
	[ "$held" -gt 0 ] || fail "nothing is held"
	wait_for '[ $(($(dropped feth0 no-frame) +
	    $(dropped feth0 host-queue) + held)) -eq 400 ]'
	run ifconfig feth0 -stall
	capture_start feth1 cap
	wait_for 'tool send feth0 "$f" && [ -s cap ]'
	coaxd_stop
}

atf_test_case manual_page
manual_page_head()
{
	about 30 "Every reason has its place in coax-drops(7)"
}
manual_page_body()
{
	page=$lib_dir/../../man/coax-drops.7
	if ! [ -e "$page" ]; then
		page=$(dirname "$(readlink -f "$lib_dir/lib.subr")")
		page=$page/../../man/coax-drops.7
	fi
	header=$(dirname "$page")/../src/base/drop.h
	sed -n 's/^	X([A-Z_]*, "\([a-z-]*\)".*/\1/p' "$header" >reasons
	[ "$(wc -l <reasons)" -gt 30 ] || fail "where are the reasons?"
	while read -r reason; do
		grep -q "$reason" "$page" || fail "$reason is not in the page"
	done <reasons
}

atf_init_test_cases()
{
	atf_add_test_case nothing
	atf_add_test_case wire
	atf_add_test_case host_queue
	atf_add_test_case queue_full
	atf_add_test_case pool_empty
	atf_add_test_case manual_page
}
