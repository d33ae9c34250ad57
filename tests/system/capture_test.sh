#! /usr/bin/env atf-sh
# SPDX-License-Identifier: BSD-2-Clause
# coax capture and coax-extcap: what is shown, as what, and to whom it hurts.
#
# shellcheck disable=SC2016,SC2034,SC2094,SC2119,SC2129,SC2154
# (conditions are for wait_for; lib.subr sets and uses variables)

. "$(atf_get_srcdir)/lib.subr"

all=ff:ff:ff:ff:ff:ff
a=02:00:00:00:00:0a
b=02:00:00:00:00:0b

# start_cables N, put N DST SRC TEXT: a bridge of N cables; a frame into it.
start_cables()
{
	lab
	need_host
	coaxd_start
	cables "$1"
}

put()
{
	tool send "feth$1" "$(frame "$2" "$3" 88b5 "$4")"
}

hex()
{
	printf %s "$1" | od -An -tx1 | tr -d ' \n'
}

# look FILE ARG ...: coax capture in the background, begun. Its process id is
# $look_pid, what it says is in look.err.
look()
{
	lib_file=$1
	shift
	: >look.err
	coax capture "$@" >"$lib_file" 2>look.err 9>&- &
	look_pid=$!
	wait_for 'grep -q "^capturing on" look.err || ! kill -0 $look_pid'
	grep -q '^capturing on' look.err || fail "$(cat look.err)"
}

# looked: the end of it, by itself or (looked INT) by a signal: exit 0.
looked()
{
	[ $# -eq 0 ] || kill -"$1" "$look_pid"
	lib_status=0
	wait "$look_pid" || lib_status=$?
	[ $lib_status -eq 0 ] || fail "coax capture: $(cat look.err)"
}

# holds FILE N: a capture that is written as it comes has N packets and more.
holds()
{
	[ "$(packets "$1")" -ge "$2" ]
}

need_tshark()
{
	command -v tshark >/dev/null || atf_skip "there is no tshark"
}

# fields FILE FIELD ...: of each packet, by tshark, one line with "|" between.
fields()
{
	lib_file=$1
	shift
	for lib_f; do
		set -- "$@" -e "$lib_f"
		shift
	done
	tshark -r "$lib_file" -T fields -E 'separator=|' "$@" 2>tshark.err ||
	    fail "$(cat tshark.err)"
}

# packets FILE: how many, by tcpdump.
packets()
{
	tcpdump -nr "$1" 2>/dev/null | grep -c '^[0-9]'
}

atf_test_case file
file_head()
{
	about 60 "A file: interface, direction, times, order; by tshark, tcpdump"
}
file_body()
{
	need_tshark
	start_cables 2
	run ifconfig feth1 description "cable one"
	look /dev/null feth1 -c 3 -w one.pcapng
	put 0 $all $a first
	put 2 $all $b second
	put 0 $b $a third
	looked
	grep -q '^3 frames captured, 0 not kept$' look.err ||
	    fail "$(cat look.err)"
	fields one.pcapng frame.interface_name frame.interface_description \
	    frame.packet_flags_direction frame.len eth.src >fields.out
	cat >want.out <<END
feth1|cable one|0x00000001|60|$a
feth1|cable one|0x00000002|60|$b
feth1|cable one|0x00000001|60|$a
END
	diff want.out fields.out || fail "not as it was sent"
	[ "$(packets one.pcapng)" -eq 3 ] || fail "tcpdump: $(
	    tcpdump -nr one.pcapng 2>&1)"
	# The times are now, and rise.
	fields one.pcapng frame.time_epoch >times.out
	sort -n times.out | diff - times.out || fail "times do not rise"
	now=$(date +%s)
	then=$(head -n 1 times.out | cut -d. -f1)
	[ $((now - then)) -lt 60 ] || fail "captured at $then, now is $now"
	coaxd_stop
}

atf_test_case pipe
pipe_head()
{
	about 60 "-w - into tcpdump and tshark; they see frames as they come"
}
pipe_body()
{
	need_tshark
	start_cables 2
	: >tcpdump.out
	: >tshark.out
	coax capture bridge0 -w - 2>one.err | tcpdump -elnr - \
	    >tcpdump.out 2>/dev/null 9>&- &
	coax capture bridge0 -w - 2>two.err | tshark -l -r - \
	    >tshark.out 2>/dev/null 9>&- &
	wait_for 'grep -q capturing one.err && grep -q capturing two.err'
	put 0 $all $a first
	wait_for 'grep -q "02:00:00:00:00:0a" tcpdump.out'
	wait_for 'grep -q "02:00:00:00:00:0a" tshark.out'
	put 2 $all $b second
	wait_for 'grep -q "02:00:00:00:00:0b" tcpdump.out'
	wait_for 'grep -q "02:00:00:00:00:0b" tshark.out'
	# Who reads along may leave: the capture ends, and nobody minds.
	coax capture bridge0 -w - 2>three.err | head -c 100 >/dev/null &
	head_pid=$!
	wait_for 'grep -q capturing three.err'
	wait_for 'put 0 $all $a again; ! kill -0 $head_pid'
	wait_for '[ "$(sysctl -n coax.captures)" -eq 2 ]'
	run ifconfig bridge0 destroy
	wait_for '[ "$(sysctl -n coax.captures)" -eq 0 ]'
	grep -q 'bridge0: the interface was destroyed' one.err ||
	    fail "$(cat one.err)"
	coaxd_stop
}

atf_test_case filter
filter_head()
{
	about 60 "libpcap's filters, run in the daemon; wrong ones are refused"
}
filter_body()
{
	start_cables 2
	look /dev/null feth1 -w udp.pcapng ether src $b and not ether broadcast
	put 2 $all $b no
	put 2 $a $b yes
	put 0 $b $a no
	put 2 $a $b also
	wait_for 'holds udp.pcapng 2'
	looked INT
	[ "$(packets udp.pcapng)" -eq 2 ] || fail "$(
	    tcpdump -enr udp.pcapng 2>&1)"
	refused 'filter: .*syntax error' coax capture feth1 -w x ip and
	refused 'filter: .*protochain.*not allowed' \
	    coax capture feth1 -w x ip6 protochain 6
	refused 'filter: .*--in and --out' coax capture feth1 -w x inbound
	# Nothing of it has touched the file.
	[ ! -e x ] || fail "a refused capture made its file"
	# A long one; and one that is longer than may be.
	hosts=$(seq -f 'host 10.%g.1.1 or ' 1 200 | tr -d '\n')
	look /dev/null feth1 -w y "$hosts host 10.0.0.1"
	looked INT
	refused 'longer than 4096 instructions' coax rpc capture.start \
	    '{"name":"feth1","program":"4097,6 0 0 0"}'
	coaxd_stop
}

atf_test_case limits
limits_head()
{
	about 60 "-s, -c, --in, --out"
}
limits_body()
{
	need_tshark
	start_cables 2
	look /dev/null feth1 --in -s 20 -w in.pcapng
	in_pid=$look_pid
	look /dev/null --out -c 1 feth1 -w out.pcapng
	put 0 $all $a in1
	put 2 $all $b out1
	looked
	wait_for 'holds in.pcapng 1'
	look_pid=$in_pid
	looked TERM
	fields in.pcapng frame.packet_flags_direction frame.len frame.cap_len \
	    >in.out
	atf_check -o inline:"0x00000001|60|20\n" cat in.out
	fields out.pcapng frame.packet_flags_direction eth.src >out.out
	atf_check -o inline:"0x00000002|$b\n" cat out.out
	for words in "" "feth1 --in --out" "-c" "feth1 -c 0" "feth1 -c x" \
	    "feth1 -s 262145" "feth1 -B 127" "feth1 -B 1048577" "feth1 -w" \
	    "feth1 -z" "-- "; do
		# shellcheck disable=SC2086 # words
		refused . coax capture $words
	done
	refused '^usage: coax capture' coax capture
	refused 'interface feth9 does not exist' coax capture feth9 -w z
	[ ! -e z ] || fail "a refused capture made its file"
	refused '/nowhere/z: No such file' coax capture feth1 -w /nowhere/z
	coaxd_stop
}

atf_test_case tags
tags_head()
{
	about 60 "VLAN tags are in place, and the bridge shows the port's VLAN"
}
tags_body()
{
	need_tshark
	start_cables 2
	look /dev/null feth1 -c 1 -w tag.pcapng
	tool send feth0 "$(nocolon $all)$(nocolon $a)8100600a88b5$(
	    printf %092d 0)"
	looked
	fields tag.pcapng vlan.id vlan.priority eth.type >tag.out
	atf_check -o inline:"10|3|0x8100\n" cat tag.out
	# An untagged frame is in its port's VLAN there.
	run ifconfig bridge0 vlanfilter ifuntagged feth1 20 ifuntagged feth3 20
	look /dev/null bridge0 -c 1 -w pvid.pcapng
	put 0 $all $a untagged
	looked
	fields pvid.pcapng vlan.id >pvid.out
	atf_check -o inline:"20\n" cat pvid.out
	coaxd_stop
}

atf_test_case drops
drops_head()
{
	about 60 "--drops: what was dropped, with the reason as a comment"
}
drops_body()
{
	need_tshark
	start_cables 2
	run ifconfig bridge0 private feth1 private feth3
	put 2 $all $b learn
	wait_for 'ifconfig bridge0 addr | grep -q "$b"'
	look /dev/null feth1 --drops -c 2 -w drops.pcapng
	put 0 $b $a private
	run ifconfig feth3 down
	put 0 02:00:00:00:00:0c $a noport
	looked
	fields drops.pcapng frame.packet_flags_direction frame.comment >d.out
	grep -q '^0x00000001|dropped: private: Between two private ports.$' d.out ||
	    fail "$(cat d.out)"
	grep -q '^0x00000001|dropped: no-port: ' d.out || fail "$(cat d.out)"
	# Outbound; and the text says so, too.
	run ifconfig feth3 up monitor
	run ifconfig bridge0 -private feth1
	look text.out feth3 --drops --out
	put 0 $all $a monitor
	wait_for 'grep -q "dropped: monitor-out" text.out'
	looked INT
	coaxd_stop
}

atf_test_case monitor_mode
monitor_mode_head()
{
	about 60 "Monitor mode: all members' input in one stream, and no more"
}
monitor_mode_body()
{
	need_tshark
	start_cables 3
	for i in 0 2 4; do
		capture_start feth$i $i.cap -p
	done
	run ifconfig bridge0 monitor
	shows MONITOR ifconfig bridge0
	look /dev/null bridge0 -w all.pcapng
	before=$(cat /sys/class/net/bridge0/statistics/rx_packets)
	put 0 $all $a one
	put 2 $a $b two
	put 4 01:00:5e:00:00:01 $b three
	put 0 "$(mac bridge0)" $a four
	wait_for '[ "$(dropped bridge0 monitor)" -ge 4 ]'
	wait_for 'holds all.pcapng 4'
	looked INT
	fields all.pcapng frame.interface_name eth.src eth.type |
	    grep 0x88b5 >all.out
	cat >want.out <<END
bridge0|$a|0x88b5
bridge0|$b|0x88b5
bridge0|$b|0x88b5
bridge0|$a|0x88b5
END
	diff want.out all.out || fail "not all of it, or in another order"
	[ "$(cat /sys/class/net/bridge0/statistics/rx_packets)" = "$before" ] ||
	    fail "the host got something"
	hides "$a" ifconfig bridge0 addr
	# The host cannot send through it.
	tool send bridge0 "$(frame $all $b 88b5 host)"
	wait_for '[ "$(dropped bridge0 monitor-out)" -ge 1 ]'
	run ifconfig bridge0 -monitor
	hides MONITOR ifconfig bridge0
	put 0 $all $a five
	marked "88b5$(hex five)" 2.cap
	for i in 0 2 4; do
		for text in one two three four host; do
			[ "$i" = 0 ] && [ $text != two ] && continue
			! grep -q "88b5$(hex $text)" $i.cap ||
			    fail "feth$i got $text"
		done
	done
	coaxd_stop
}

atf_test_case offload
offload_head()
{
	about 60 "Checksums are as they are, and a comment says so"
}
offload_body()
{
	need_tshark
	lab
	need_host
	coaxd_start
	switch 2
	pings s1 192.0.2.2
	look /dev/null bridge0 -w tcp.pcapng tcp
	# shellcheck disable=SC2086 # words
	coax jexec s2 $lib_tool tcpserve 192.0.2.2 5001 \
	    >serve.out 2>serve.err 9>&- &
	wait_for 'grep -q ready serve.err'
	# shellcheck disable=SC2086 # words
	coax jexec s1 $lib_tool tcpsend 192.0.2.2 5001 2000000 \
	    >send.out 2>&1 || fail "$(cat send.out serve.err)"
	wait_for '[ "$(stat -c %s tcp.pcapng)" -gt 2000000 ]'
	looked INT
	fields tcp.pcapng frame.len frame.comment >c.out
	grep -q '|offload: checksum not filled in$' c.out ||
	    fail "$(head c.out)"
	grep -q 'offload: a super-frame of [0-9]* segments with 14[0-9]* bytes' \
	    c.out || fail "$(sort -n c.out | tail -n 3)"
	coaxd_stop
}

atf_test_case stopped_reader
stopped_reader_head()
{
	about 120 "A reader that stops reading hurts nobody; what is lost counts"
}
stopped_reader_body()
{
	need_tshark
	lab
	need_host
	coaxd_start
	switch 2
	pings s1 192.0.2.2
	look /dev/null bridge0 -B 128 -w lost.pcapng icmp
	kill -STOP $look_pid
	# 250 pings of 1400 bytes, and answers, are more than 128 KiB.
	atf_check -o match:'250 packets transmitted, 250 received' \
	    coax jexec s1 ping -n -q -i 0.002 -c 250 -s 1400 192.0.2.2
	kill -CONT $look_pid
	wait_for 'holds lost.pcapng 50'
	atf_check -o match:'1 received' \
	    coax jexec s1 ping -n -q -c 1 192.0.2.2
	wait_for 'tshark -r lost.pcapng -c 1000 2>/dev/null | grep -q " 98 "'
	looked INT
	grep -q ' captured, [1-9][0-9]* not kept' look.err ||
	    fail "$(cat look.err)"
	# One that hangs in a pipe which nobody empties ends all the same.
	mkfifo pipe
	tail -f /dev/null <pipe & # it holds the pipe, and does not read
	hold_pid=$!
	: >look.err
	coax capture bridge0 -B 128 -w pipe icmp >/dev/null 2>look.err &
	look_pid=$!
	wait_for 'grep -q "^capturing on" look.err'
	atf_check -o match:'250 received' \
	    coax jexec s1 ping -n -q -i 0.002 -c 250 -s 1400 192.0.2.2
	looked INT
	kill $hold_pid
	# One that is killed is forgotten.
	look /dev/null bridge0 -w killed.pcapng
	[ "$(sysctl -n coax.captures)" -eq 1 ] || fail "not counted"
	kill -KILL $look_pid
	wait_for '[ "$(sysctl -n coax.captures)" -eq 0 ]'
	pings s1 192.0.2.2
	coaxd_stop
}

atf_test_case text
text_head()
{
	about 60 "Without -w: text in 80 columns"
}
text_body()
{
	lab
	need_host
	coaxd_start
	switch 2
	look text.out bridge0
	pings s1 192.0.2.2
	atf_check -o ignore coax jexec s1 ping -n -q -c 1 2001:db8::2
	wait_for 'grep -q "ICMPv6 echo reply" text.out'
	looked INT
	grep -Eq '^[0-9:]{8}\.[0-9]{6} in  [0-9a-f:]{17} > ff(:ff){5} +42 ARP$' \
	    text.out || fail "$(cat text.out)"
	grep -q '^    who has 192.0.2.2? tell 192.0.2.1$' text.out ||
	    fail "$(cat text.out)"
	grep -q '192.0.2.1 > 192.0.2.2 ICMP echo request id' text.out ||
	    fail "$(cat text.out)"
	[ "$(awk 'length > 80' text.out | wc -l)" -eq 0 ] ||
	    fail "wider: $(awk 'length > 80' text.out)"
	script -qec "coax capture bridge0 -w - 2>$PWD/tty.err" /dev/null \
	    >tty.out </dev/null && fail "pcapng on a terminal"
	grep -q 'standard output is a terminal' tty.err ||
	    fail "$(cat tty.err)"
	coaxd_stop
}

atf_test_case vnets
vnets_head()
{
	about 60 "An interface of another vnet, and from inside one"
}
vnets_body()
{
	lab
	need_host
	coaxd_start
	run coax vnet create alice
	in_vnet alice ifconfig vether0 create up || fail "no vether0 in alice"
	look /dev/null vether0@alice -w home.pcapng
	: >look.err
	coax jexec alice coax capture vether0 -w "$PWD/there.pcapng" 2>there.err &
	there_pid=$!
	wait_for 'grep -q "^capturing on" there.err'
	refused 'vether0 does not exist' coax capture vether0 -w x
	wait_for 'in_vnet alice $lib_tool send vether0 "$(frame $all $a 88b5 x)";
	    holds home.pcapng 1 && holds there.pcapng 1'
	looked INT
	kill -INT $there_pid
	wait $there_pid || fail "$(cat there.err)"
	coaxd_stop
}

atf_test_case nobody_there
nobody_there_head()
{
	about 60 "The daemon ends, the interface ends: said, exit 1, file whole"
}
nobody_there_body()
{
	start_cables 2
	look /dev/null feth1 -w gone.pcapng
	put 0 $all $a x
	wait_for 'holds gone.pcapng 1'
	run ifconfig feth1 destroy
	! wait $look_pid || fail "exit 0"
	grep -q 'feth1: the interface was destroyed' look.err ||
	    fail "$(cat look.err)"
	[ "$(packets gone.pcapng)" -ge 1 ] || fail "the file is not whole"
	look /dev/null feth3 -w end.pcapng
	coaxd_stop
	! wait $look_pid || fail "exit 0"
	grep -q 'the daemon has gone' look.err || fail "$(cat look.err)"
	tcpdump -nr end.pcapng 2>tcpdump.err || fail "$(cat tcpdump.err)"
}

atf_test_case hostile
hostile_head()
{
	about 60 "Bad memory, bells and programs are refused; lies end a capture"
}
hostile_body()
{
	lab_or_here
	coaxd_start
	run ifconfig feth0 create
	run ifconfig feth1 create
	run ifconfig feth0 peer feth1 up
	run ifconfig feth1 up
	# shellcheck disable=SC2086 # words
	atf_check -s exit:0 -o ignore -e empty $lib_tool capture_hostile
	# The read-only socket shows nobody's frames.
	atf_check -s exit:1 -o ignore -e match:'read-only' coax \
	    -S "${COAX_SOCKET%.sock}-ro.sock" capture feth0 -w x
	coaxd_stop
}

atf_test_case extcap
extcap_head()
{
	about 120 "coax-extcap in tshark's list: -D, settings, capture, filter"
}
extcap_body()
{
	need_tshark
	start_cables 2
	mkdir -p home/.config/wireshark/extcap home/.local/lib/wireshark/extcap
	for dir in home/.config home/.local/lib; do
		ln -s "$COAX_BUILD/coax-extcap" $dir/wireshark/extcap/
	done
	export HOME="$PWD/home" XDG_CONFIG_HOME="$PWD/home/.config"
	run ifconfig feth1 description "a {curly} cable"
	tshark -D >list.out 2>list.err || fail "$(cat list.err)"
	grep -q 'coax-bridge0 (coax: bridge)' list.out ||
	    atf_skip "this tshark runs no extcap programs: $(cat list.err)"
	grep -q 'coax-feth1 (coax: a curly cable, feth)' list.out ||
	    fail "$(cat list.out)"
	tshark -i coax-feth1 -f "ether src $b" -c 2 -w ext.pcapng \
	    >tshark.out 2>tshark.err &
	tshark_pid=$!
	wait_for 'put 0 $all $a other; put 2 $all $b mine;
	    ! kill -0 $tshark_pid'
	wait $tshark_pid || fail "$(cat tshark.err)"
	fields ext.pcapng eth.src frame.packet_flags_direction | sort -u >e.out
	atf_check -o inline:"$b|0x00000002\n" cat e.out
	tshark -i coax-feth1 -f "no such thing" -c 1 >bad.out 2>bad.err &&
	    fail "a wrong filter was taken"
	grep -q 'coax-extcap: filter: ' bad.err || fail "$(cat bad.err)"
	tshark -i coax-feth9 -c 1 >bad.out 2>bad.err &&
	    fail "a wrong interface was taken"
	# What Wireshark asks for.
	shows '^extcap .version=[0-9]' coax-extcap --extcap-interfaces \
	    --extcap-version=4.0
	shows '^dlt .number=1..name=EN10MB.' coax-extcap \
	    --extcap-interface coax-feth1 --extcap-dlts
	shows '^arg .number=1..call=--drops.' coax-extcap \
	    --extcap-interface coax-feth1 --extcap-config
	run coax-extcap --extcap-interface coax-feth1 \
	    --extcap-capture-filter 'tcp port 80'
	shows 'syntax error' coax-extcap --extcap-interface coax-feth1 \
	    --extcap-capture-filter 'tcp port'
	for how in --extcap-dlts --extcap-config '--extcap-capture-filter tcp'; do
		# shellcheck disable=SC2086 # words
		refused 'nope.*(not configured|not exist)' \
		    coax-extcap --extcap-interface coax-nope $how
		# shellcheck disable=SC2086 # words
		refused 'names begin with coax-' \
		    coax-extcap --extcap-interface feth1 $how
	done
	refused 'No such file' coax-extcap --extcap-interface coax-feth1 \
	    --capture --fifo not-there
	[ ! -e not-there ] || fail "a file was made"
	# Of frames both ways those that go out.
	mkfifo out
	coax-extcap --extcap-interface coax-feth1 --capture --fifo out \
	    --direction out 2>way.err &
	ext_pid=$!
	cat out >way.pcapng &
	wait_for 'put 0 $all $a in; put 2 $all $b out; holds way.pcapng 3'
	kill -TERM $ext_pid
	wait $ext_pid || fail "$(cat way.err)"
	atf_check -o inline:"$b|0x00000002\n" sh -c \
	    'sort -u' <<-EOF
	$(fields way.pcapng eth.src frame.packet_flags_direction)
	EOF
	mkfifo fifo
	coax-extcap --extcap-interface coax-feth1 --capture --fifo fifo \
	    --direction in --drops --snaplen 30 --buffer 256 2>drop.err &
	ext_pid=$!
	cat fifo >dropped.pcapng &
	run ifconfig bridge0 private feth1 private feth3
	wait_for 'put 0 02:00:00:00:00:0c $a x; holds dropped.pcapng 1'
	kill -TERM $ext_pid
	wait $ext_pid || fail "$(cat drop.err)"
	fields dropped.pcapng frame.cap_len frame.comment | sort -u >d.out
	grep -q '^30|dropped: no-port' d.out || fail "$(cat d.out)"
	refused 'two things' coax-extcap --extcap-interfaces --version
	refused 'fifo is missing' coax-extcap --capture \
	    --extcap-interface coax-x
	refused 'extcap-interface is missing' coax-extcap --extcap-dlts
	refused 'no such option.*: --frobnicate' coax-extcap --frobnicate
	coaxd_stop
	# Without a daemon there is nothing to see, and nothing is said.
	atf_check -o match:'^extcap ' -o not-match:interface \
	    coax-extcap --extcap-interfaces
}

atf_init_test_cases()
{
	atf_add_test_case drops
	atf_add_test_case extcap
	atf_add_test_case file
	atf_add_test_case filter
	atf_add_test_case hostile
	atf_add_test_case limits
	atf_add_test_case monitor_mode
	atf_add_test_case nobody_there
	atf_add_test_case offload
	atf_add_test_case pipe
	atf_add_test_case stopped_reader
	atf_add_test_case tags
	atf_add_test_case text
	atf_add_test_case vnets
}
