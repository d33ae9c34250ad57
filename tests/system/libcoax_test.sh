#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# libcoax for its users: the examples do what they say, the manual has all of
# it, and an installed one can be built against.
#
# shellcheck disable=SC2016,SC2034,SC2094,SC2119,SC2129,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

source_dir=$lib_dir/../..

# Where only the tests are to be seen, there is no source beside them.
need_source()
{
	[ -e "$source_dir/meson.build" ] || atf_skip "the source is not here"
}

atf_test_case hub
hub_head()
{
	about 60 "examples/hub: three hosts on a hub reach one another"
}
hub_body()
{
	lab
	need_host
	coaxd_start
	for i in 0 1 2; do
		run coax vnet create h$i
		run ifconfig tap$i create vnet h$i up
		run coax jexec h$i ip address add 192.0.2.$i/24 dev tap$i
	done
	"$COAX_BUILD/examples/hub" tap0 tap1 tap2 >hub.out 2>&1 9>&- &
	hub_pid=$!
	for i in 0 1 2; do
		pings h$i 192.0.2.$(((i + 1) % 3))
		pings h$i 192.0.2.$(((i + 2) % 3))
	done
	kill -0 $hub_pid || fail "$(cat hub.out)"
	run ifconfig tap1 destroy
	wait_for '! kill -0 $hub_pid'
	refused 'tap9: No such device' "$COAX_BUILD/examples/hub" tap9
	if [ -e "$source_dir/meson.build" ]; then
		lines=$(wc -l <"$source_dir/examples/hub.c")
		[ "$lines" -le 30 ] || fail "a hub in $lines lines"
	fi
	coaxd_stop
}

atf_test_case arp_responder
arp_responder_head()
{
	about 60 "examples/arp-responder: answers for its address, logs frames"
}
arp_responder_body()
{
	lab
	need_host
	coaxd_start
	"$COAX_BUILD/examples/arp-responder" 192.0.2.9 >arp.out 2>&1 9>&- &
	arp_pid=$!
	wait_for 'grep -q "^tap0: answering for 192.0.2.9" arp.out'
	run ip address add 192.0.2.1/24 dev tap0
	run ip link set tap0 up
	atf_check -o match:'02:00:00:00:00:09' \
	    arping -c 1 -w 10 -I tap0 192.0.2.9
	grep -q 'type 0806: answered' arp.out || fail "$(cat arp.out)"
	atf_check -s not-exit:0 -o ignore arping -c 1 -w 1 -I tap0 192.0.2.8
	kill $arp_pid
	wait_for '! ifconfig tap0'
	coaxd_stop
}

atf_test_case frame_logger
frame_logger_head()
{
	about 60 "examples/frame-logger: frames and events of a bridge"
}
frame_logger_body()
{
	lab
	need_host
	coaxd_start
	cables 2
	"$COAX_BUILD/examples/frame-logger" bridge0 >log.out 2>&1 9>&- &
	log_pid=$!
	wait_for 'grep -q "^logging bridge0 on tap0" log.out'
	tool send feth0 "$(frame ff:ff:ff:ff:ff:ff 02:00:00:00:00:0a 88b5 x)"
	wait_for 'grep -q "^frame 60: 02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff type 88b5" log.out'
	wait_for 'grep -q "^event .*learned.*02:00:00:00:00:0a" log.out'
	run ifconfig feth2 destroy
	wait_for 'grep -q "^event .*\"destroy\"" log.out'
	refused 'bridge9' "$COAX_BUILD/examples/frame-logger" bridge9
	coaxd_stop
	wait_for '! kill -0 $log_pid'
	grep -Eq 'it has gone|^event' log.out || fail "$(tail -n 3 log.out)"
}

atf_test_case python
python_head()
{
	about 120 "examples/python: the pytest fixtures, and tests with them"
}
python_body()
{
	need_source
	/usr/bin/python3 -c 'import pytest' 2>/dev/null ||
	    atf_skip "there is no pytest"
	sanitized && atf_skip "python3 is built without the sanitizer"
	cp "$source_dir"/examples/python/*.py .
	export COAX_LIBRARY="$COAX_BUILD/libcoax.so" COAXD="$COAX_BUILD/coaxd"
	export PYTHONDONTWRITEBYTECODE=1
	unset COAX_SOCKET
	/usr/bin/python3 -m pytest -q -p no:cacheprovider \
	    --basetemp="$PWD/tmp" >py.out 2>&1 || fail "$(tail -n 30 py.out)"
	grep -Eq '^[1-9][0-9]* passed' py.out || fail "$(cat py.out)"
}

atf_test_case installed
installed_head()
{
	about 120 "pkg-config coax: a program is built and runs elsewhere"
}
installed_body()
{
	need_source
	command -v meson >/dev/null || atf_skip "there is no meson"
	command -v cc >/dev/null || atf_skip "there is no C compiler"
	sanitized && atf_skip "a sanitized library needs a sanitized program"
	[ -w "$COAX_BUILD/meson-logs" ] ||
	    atf_skip "the build directory is another user's"
	meson install -C "$COAX_BUILD" --no-rebuild --quiet \
	    --destdir "$PWD/root" >install.out 2>&1 ||
	    fail "$(tail install.out)"
	pc=$(find root -name coax.pc)
	[ -n "$pc" ] || fail "there is no coax.pc"
	export PKG_CONFIG_PATH="${pc%/*}" PKG_CONFIG_SYSROOT_DIR="$PWD/root"
	version=$(coax --version)
	[ "coax $(pkg-config --modversion coax)" = "$version" ] ||
	    fail "another version than $version"
	for name in hub arp-responder frame-logger ring-sink; do
		# shellcheck disable=SC2046 # words
		cc -std=c99 -D_GNU_SOURCE -Wall -Wextra -Wno-pedantic -Werror \
		    -o $name "$source_dir/examples/$name.c" \
		    $(pkg-config --cflags --libs coax) >cc.out 2>&1 ||
		    fail "$name: $(cat cc.out)"
	done
	lib=$(find root -name 'libcoax.so.0')
	lab_or_here
	export LD_LIBRARY_PATH="$PWD/${lib%/*}"
	coaxd_start
	refused 'tap9: No such device' ./hub tap9
	coaxd_stop
	# All that is promised is there, with its manual page.
	for f in bin/coax bin/coax-extcap sbin/coaxd include/coax/coax.h \
	    include/coax/tap.h include/coax/port.h share/man/man3/coax.3 \
	    share/man/man3/coax_tap.3 share/man/man3/coax_port.3 \
	    share/man/man7/coax-rpc.7 share/man/man1/coax-capture.1; do
		find root -path "*/$f" | grep -q . || fail "$f is not installed"
	done
}

atf_test_case manual
manual_head()
{
	about 60 "Each function is in section 3 of the manual"
}
manual_body()
{
	need_source
	nm -D --defined-only "$COAX_BUILD/libcoax.so" |
	    awk '$2 == "T" && $3 ~ /^coax_/ { sub(/@.*/, "", $3); print $3 }' \
	    >functions
	[ "$(wc -l <functions)" -ge 20 ] || fail "$(cat functions)"
	while read -r f; do
		grep -q "^.Nm $f\( ,\)*\$" "$source_dir"/man/*.3 ||
		    fail "$f is in no manual page"
		grep -q "^.Fn $f " "$source_dir"/man/*.3 ||
		    fail "the manual does not say how $f is called"
	done <functions
}

atf_init_test_cases()
{
	atf_add_test_case arp_responder
	atf_add_test_case frame_logger
	atf_add_test_case hub
	atf_add_test_case installed
	atf_add_test_case manual
	atf_add_test_case python
}
