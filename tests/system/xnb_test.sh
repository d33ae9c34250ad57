#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# xnb(4): ring ports of programs.
#
# shellcheck disable=SC2016,SC2034,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

# ports N: bridge0 with xnb0, xnb1 ..., all up, that outlive their programs.
ports()
{
	run ifconfig bridge0 create up
	for lib_i in $(seq 0 $(($1 - 1))); do
		run ifconfig "xnb$lib_i" create persist up
		run ifconfig bridge0 addm "xnb$lib_i"
	done
}

# example NAME FILE [ARGUMENT ...]: in the background, what it prints to FILE.
# Its process id is $example_pid.
example()
{
	lib_name=$1 lib_file=$2
	shift 2
	: >"$lib_file"
	"$COAX_BUILD/examples/$lib_name" "$@" >"$lib_file" 2>"$lib_file.err" &
	example_pid=$!
}

atf_test_case between_programs
between_programs_head()
{
	about 60 "Frames of one program reach another through a bridge, all"
}
between_programs_body()
{
	lab_or_here
	coaxd_start
	ports 2
	# What the rings and the queue hold is not lost, however slow the sink.
	example ring-sink sink.out -c 500 xnb1
	wait_for 'grep -q ready sink.out'
	shows '^sent 500$' "$COAX_BUILD/examples/ring-generator" -c 500 xnb0
	wait "$example_pid" || fail "$(cat sink.out.err)"
	grep -q '^received 500 frames, 30000 bytes' sink.out ||
	    fail "$(cat sink.out)"
	# More than a slow sink takes is dropped, and accounted for.
	example ring-sink sink.out xnb1
	wait_for 'grep -q ready sink.out'
	shows '^sent 200000$' "$COAX_BUILD/examples/ring-generator" \
	    -c 200000 xnb0
	wait "$example_pid" || fail "$(cat sink.out.err)"
	lib_got=$(sed -n 's/^received \([0-9]*\) frames.*/\1/p' sink.out)
	lib_lost=$(dropped xnb1 queue-full)
	[ "$((lib_got + lib_lost))" -eq 200000 ] ||
	    fail "$lib_got received, $lib_lost dropped, of 200000"
	[ "$(field xnb0 counters.ipackets)" -eq 200500 ]
	[ "$(field xnb1 counters.opackets)" -eq "$((lib_got + 500))" ]
	coaxd_stop
}

atf_test_case lifetime
lifetime_head()
{
	about 60 "The interface ends with its program unless it is to persist"
}
lifetime_body()
{
	lab_or_here
	coaxd_start
	run ifconfig xnb0 create
	example ring-echo echo.out xnb0
	wait_for 'grep -q ready echo.out'
	shows 'status: active' ifconfig xnb0
	kill -KILL "$example_pid"
	wait_for '! ifconfig xnb0'
	run ifconfig xnb0 create persist
	example ring-echo echo.out xnb0
	wait_for 'grep -q ready echo.out'
	kill -KILL "$example_pid"
	wait_for 'ifconfig xnb0 | grep -q "status: no carrier"'
	# The next one gets it; a second one does not.
	example ring-echo echo.out xnb0
	wait_for 'grep -q ready echo.out'
	atf_check -s exit:1 -e match:'xnb0: Device or resource busy' \
	    "$COAX_BUILD/examples/ring-echo" xnb0
	run ifconfig xnb0 -persist
	run ifconfig xnb0 destroy
	wait_for '! kill -0 "$example_pid"'
	grep -q 'Broken pipe' echo.out.err || fail "$(cat echo.out.err)"
	coaxd_stop
}

atf_init_test_cases()
{
	atf_add_test_case between_programs
	atf_add_test_case lifetime
}
