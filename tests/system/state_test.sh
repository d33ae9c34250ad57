#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# coaxd --state: what bridges know outlives the daemon.
#
# shellcheck disable=SC2016,SC2034,SC2119,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

# bridge: bridge0 with feth0 and feth2; addresses are learned on feth1, feth3.
bridge()
{
	for lib_i in 0 2; do
		run ifconfig "feth$lib_i" create -host
		run ifconfig "feth$((lib_i + 1))" create -host peer \
		    "feth$lib_i" up
		run ifconfig "feth$lib_i" up
	done
	run ifconfig bridge0 create -host addm feth0 addm feth2 up
}

# learned N ...: those of 02:00:00:00:00:0N are known on feth0.
learned()
{
	for lib_i; do
		ifconfig bridge0 addr | grep -q \
		    "^02:00:00:00:00:0$lib_i Vlan[0-9]* feth0 " || return 1
	done
}

# teach N ...: a frame from each comes in on feth0.
teach()
{
	tap_hold
	run ifconfig "$tap_name" up
	run ifconfig bridge9 create -host addm "$tap_name" addm feth1 up
	for lib_i; do
		tap_say write "$(frame ff:ff:ff:ff:ff:ff \
		    "02:00:00:00:00:0$lib_i" 88b5)"
	done
	for lib_i; do
		wait_for "learned $lib_i"
	done
	tap_release
	run ifconfig bridge9 destroy
}

# saved PATTERN: it is in the file.
saved()
{
	grep -q "$1" state/addresses
}

atf_test_case restart
restart_head()
{
	about 60 "Static and learned addresses are there after a restart"
}
restart_body()
{
	lab_or_here
	coaxd_start --state state
	bridge
	teach 1 2
	run ifconfig bridge0 static feth2 02:00:00:00:00:09 vlan 10
	run ifconfig bridge0 sticky feth0
	coax export >rc.conf
	coaxd_stop
	atf_check -o match:'^02:00:00:00:00:09 10 2 static$' cat state/addresses
	atf_check -o inline:'600\n' stat -c %a state/addresses
	atf_check -o inline:'addresses\n' ls state
	# With a configuration it knows them when it is ready.
	coaxd_start --state state -f rc.conf
	learned 1 2 || fail "$(ifconfig bridge0 addr)"
	atf_check -o match:'^02:00:00:00:00:09 Vlan10 feth2 0 flags=1<STATIC>$' \
	    -o match:'^02:00:00:00:00:01 Vlan0 feth0 1[0-2][0-9][0-9] flags=0<>$' \
	    ifconfig bridge0 addr
	coaxd_stop
	# By commands, as soon as there is such a member; what nobody has made
	# again yet is not lost meanwhile.
	coaxd_start --state state
	wait_for 'saved "^end 3"'
	coaxd_stop
	coaxd_start --state state
	run ifconfig bridge0 create
	run ifconfig feth0 create
	run ifconfig bridge0 addm feth0
	wait_for 'learned 1 2'
	hides feth2 ifconfig bridge0 addr
	run ifconfig feth2 create
	run ifconfig bridge0 addm feth2
	wait_for 'ifconfig bridge0 addr | grep -q "feth2 0 flags=1<STATIC>"'
	# What was taken away stays away.
	run ifconfig bridge0 deladdr 02:00:00:00:00:09 vlan 10 flush
	coaxd_stop
	atf_check -o match:'^end 0' cat state/addresses
}

atf_test_case kill
kill_head()
{
	about 90 "After kill -9, too; the file is the old one or the new one"
}
kill_body()
{
	lab_or_here
	coaxd_start --state "$PWD/state"
	bridge
	run ifconfig bridge0 static feth0 02:00:00:00:00:01
	wait_for 'saved "^02:00:00:00:00:01 0 1 static"'
	kill -KILL "$coaxd_pid"
	wait "$coaxd_pid" || :
	# At any moment.
	for i in 2 3 4 5 6; do
		coaxd_start --state "$PWD/state"
		bridge
		learned 1 || wait_for 'learned 1'
		run ifconfig bridge0 static feth0 "02:00:00:00:00:0$i" \
		    deladdr "02:00:00:00:00:0$i"
		kill -KILL "$coaxd_pid"
		wait "$coaxd_pid" || :
		atf_check -o match:'^end [12]$' tail -n 1 state/addresses
	done
}

atf_test_case bad_files
bad_files_head()
{
	about 60 "A damaged file is said to be so, and not used"
}
# starts_without PATTERN: it says so, and knows nothing.
starts_without()
{
	coaxd_start --state state
	atf_check -o ignore grep "$1" coaxd.err
	bridge
	atf_check -o empty ifconfig bridge0 addr
	coaxd_stop
	atf_check -o match:'^coax-addresses 1' cat state/addresses
	rm -rf state/addresses.bad
}
bad_files_body()
{
	lab_or_here
	mkdir state
	head=$(printf 'coax-addresses 1\nsaved 1\nbridge bridge0\nport 1 feth0')
	address='02:00:00:00:00:01 0 1 static'
	printf '%s\n%s\n' "$head" "$address" >state/addresses
	starts_without \
	    'state/addresses:6: the end is missing; it is not used, and is'
	printf '%s\n%s\nend 2\n' "$head" "$address" >state/addresses
	starts_without 'addresses:6: that is not the number of addresses'
	printf 'coax-addresses 7\n' >state/addresses
	starts_without 'addresses:1: its version is not 1'
	head -c 1000000 /dev/urandom >state/addresses
	starts_without 'addresses:1: this is no file of addresses'
	: >state/addresses
	starts_without 'addresses:1: '
	truncate -s 1G state/addresses
	starts_without 'state/addresses: File too large'
	rm state/addresses
	mkdir state/addresses
	starts_without 'addresses: not a plain file'
	rm -rf state/addresses
	mkfifo state/addresses
	starts_without 'addresses: not a plain file'
	echo "do not touch" >elsewhere
	ln -sf ../elsewhere state/addresses
	starts_without 'addresses: '
	atf_check -o inline:'do not touch\n' cat elsewhere
	# The bad one is kept, to be looked at.
	echo hello >state/addresses
	coaxd_start --state state
	atf_check -o inline:'hello\n' cat state/addresses.bad
	# One daemon at a time.
	atf_check -s exit:1 -e match:'state: another coaxd keeps its state' \
	    "$COAX_BUILD/coaxd" -S "$PWD/other.sock" --state state
	coaxd_stop
	# No directory to be had: no daemon.
	: >file
	atf_check -s exit:1 -e match:'coaxd: file: Not a directory' \
	    "$COAX_BUILD/coaxd" -S "$COAX_SOCKET" --state file
	atf_check -s exit:1 -e match:'no/such: No such file' \
	    "$COAX_BUILD/coaxd" -S "$COAX_SOCKET" --state no/such
	# A start that fails changes nothing.
	printf '%s\n%s\nend 1\n' "$head" "$address" >state/addresses
	cp state/addresses want
	echo nonsense >rc.conf
	atf_check -s exit:1 -e ignore \
	    "$COAX_BUILD/coaxd" -S "$COAX_SOCKET" --state state -f rc.conf
	atf_check -o file:want cat state/addresses
}

atf_test_case no_space
no_space_head()
{
	about 60 "A file that cannot be written is said to be so; it goes on"
}
no_space_body()
{
	lab
	mkdir state
	mount -t tmpfs -o size=8k,mode=0700 tmpfs state || skip "no mounts"
	coaxd_start --state state
	bridge
	run ifconfig bridge0 static feth0 02:00:00:00:00:01
	wait_for 'saved :01'
	cp state/addresses want
	dd if=/dev/zero of=state/fill bs=4k count=4 2>/dev/null || :
	run ifconfig bridge0 static feth0 02:00:00:00:00:02
	wait_for 'grep -q "cannot be written: No space left" coaxd.err'
	atf_check -o match:':01 0 1 static' cat state/addresses
	rm state/fill
	wait_for 'saved :02'
	atf_check -o inline:'1\n' grep -c 'cannot be written' coaxd.err
	coaxd_stop
	umount state
}

atf_init_test_cases()
{
	atf_add_test_case restart
	atf_add_test_case kill
	atf_add_test_case bad_files
	atf_add_test_case no_space
}
