#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the system tests need and a shell cannot do: raw frames on a netdev,
values of JSON, an independent look at checksums, and a control client that
misbehaves. Each subcommand is the function of that name, cmd_NAME()."""

import ctypes
import fcntl
import json
import mmap
import os
import random
import re
import select
import signal
import socket
import struct
import sys
import time

ETH_P_ALL = 3
PACKET_OUTGOING = 4
SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP = 1
PACKET_MR_PROMISC = 1
PACKET_AUXDATA = 8


def fail(text):
    print(text, file=sys.stderr)
    sys.exit(1)


def arg_value(args, name, default=None):
    """Takes "name value" out of args."""
    if name not in args:
        return default
    i = args.index(name)
    value = args[i + 1]
    del args[i:i + 2]
    return value


def arg_flag(args, name):
    if name in args:
        args.remove(name)
        return True
    return False


# --- JSON ---------------------------------------------------------------------

def cmd_get(args):
    """get PATH [DEFAULT]: a value of the JSON on standard input."""
    value = json.load(sys.stdin)
    for key in args[0].split("."):
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError):
            value = None
            break
    if value is None and len(args) > 1:
        value = args[1]
    print(value if isinstance(value, str) else json.dumps(value))


def cmd_json(args):
    """json EXPRESSION: true of the JSON on standard input, called v."""
    v = json.load(sys.stdin)
    if not eval(args[0], {"v": v, "any": any, "all": all, "len": len}):
        fail("not true: " + args[0] + "\n" + json.dumps(v)[:2000])


# --- frames -------------------------------------------------------------------

def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def cmd_frame(args):
    """frame DST SRC TYPE [TEXT]: hex, padded to 60 bytes."""
    data = mac_bytes(args[0]) + mac_bytes(args[1]) + bytes.fromhex(args[2])
    if len(args) > 3:
        data += args[3].encode()
    print(data.ljust(60, b"\0").hex())


def cmd_send(args):
    """send IF HEX [COUNT]: frames out of a netdev."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((args[0], 0))
    data = bytes.fromhex(args[1])
    for _ in range(int(args[2]) if len(args) > 2 else 1):
        while True:
            try:
                s.send(data)
                break
            except OSError as e:
                if e.errno != 105:  # ENOBUFS
                    raise
                select.select([], [s], [], 1)


def cmd_sendnum(args):
    """sendnum IF COUNT [BYTES]: frames to all, numbered from 0 in the four
    bytes behind their type, 88b5."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((args[0], 0))
    size = int(args[2]) if len(args) > 2 else 60
    for n in range(int(args[1])):
        data = b"\xff" * 6 + b"\x02\0\0\0\0\x01\x88\xb5"
        s.send((data + struct.pack(">I", n)).ljust(size, b"\0"))


def cmd_sockpeer(args):
    """sockpeer PATH hold|half|lie: the far end of a sock, in bad ways."""
    s = socket.socket(socket.AF_UNIX)
    s.connect(args[0])
    frame = b"\xff" * 6 + b"\x02\0\0\0\0\x07\x88\xb5" + bytes(46)
    record = struct.pack(">I", len(frame)) + frame
    if args[1] == "half":
        s.sendall(record + record[:20])
    if args[1] == "lie":
        s.sendall(record + b"\xff" * 4 + record)
        while True:  # to the end
            try:
                if not s.recv(65536):
                    return
            except ConnectionResetError:
                return
    signal.pause()


def cmd_capture(args):
    """capture IF [-p] [-o] [-t SECONDS]: frames received on a netdev, in hex.

    -p: promiscuous; -o: those sent by the host too; -t: end after a time."""
    promisc, out = arg_flag(args, "-p"), arg_flag(args, "-o")
    limit = arg_value(args, "-t")
    end = time.monotonic() + float(limit) if limit else None
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                      socket.htons(ETH_P_ALL))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.bind((args[0], ETH_P_ALL))
    # What came on other netdevs between socket() and bind().
    s.setblocking(False)
    while True:
        try:
            s.recv(1)
        except BlockingIOError:
            break
    if promisc:
        index = socket.if_nametoindex(args[0])
        s.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP,
                     struct.pack("IHH8s", index, PACKET_MR_PROMISC, 0, b""))
    print("ready", file=sys.stderr, flush=True)
    while True:
        left = None if end is None else end - time.monotonic()
        if left is not None and left <= 0:
            return
        if not select.select([s], [], [], left)[0]:
            return
        try:
            data, anc, _, addr = s.recvmsg(70000, 256)
        except OSError as e:
            if e.errno == 100:  # ENETDOWN: it may come up again
                continue
            return  # the netdev has gone
        if addr[2] == PACKET_OUTGOING and not out:
            continue
        for _, _, aux in anc:
            status, = struct.unpack_from("I", aux)
            tci, tpid = struct.unpack_from("HH", aux, 16)
            if status & 0x10:  # TP_STATUS_VLAN_VALID
                data = (data[:12] + struct.pack(">HH", tpid or 0x8100, tci)
                        + data[12:])
        print(data.hex(), flush=True)


# --- spanning tree, written down from IEEE 802.1D without any of coax's code --

BPDU = {"proto": 0, "version": 2, "type": 2, "flags": 0x0c, "rootpri": 0x8000,
        "root": "02:00:00:00:00:01", "cost": 0, "pri": 0x8000,
        "bridge": "02:00:00:00:00:01", "port": 0x8001, "age": 0,
        "max": 20 * 256, "hello": 2 * 256, "fwd": 15 * 256, "v1": 0,
        "len": None}


def cmd_bpdu(args):
    """bpdu [NAME=VALUE ...]: the hex of a frame; an RST BPDU where not said
    otherwise. Times are in 1/256 s."""
    b = dict(BPDU)
    for arg in args:
        name, value = arg.split("=")
        if name not in b:
            fail(f"{name}: no field of a BPDU")
        b[name] = value if ":" in value else int(value, 0)
    body = struct.pack(">HBB", b["proto"], b["version"], b["type"])
    if b["type"] != 0x80:
        body += struct.pack(">BH6sIH6sHHHHH", b["flags"], b["rootpri"],
                            mac_bytes(b["root"]), b["cost"], b["pri"],
                            mac_bytes(b["bridge"]), b["port"], b["age"],
                            b["max"], b["hello"], b["fwd"])
    if b["type"] == 2:
        body += struct.pack(">B", b["v1"])
    length = len(body) + 3 if b["len"] is None else b["len"]
    frame = (mac_bytes("01:80:c2:00:00:00") + mac_bytes(b["bridge"])
             + struct.pack(">H", length) + b"\x42\x42\x03" + body)
    print(frame.ljust(60, b"\0").hex())


def bpdus(path):
    """The BPDUs of a capture, from behind the LLC header."""
    for line in open(path):
        data = bytes.fromhex(line)
        if data[:6] == mac_bytes("01:80:c2:00:00:00"):
            if data[14:17] != b"\x42\x42\x03":
                fail(f"another LLC: {line}")
            yield data[17:14 + int.from_bytes(data[12:14], "big")]


def cmd_bpdus(args):
    """bpdus FILE: a line each: type version flags rootpri/root cost
    bridgepri/bridge port age max hello fwd"""
    for b in bpdus(args[0]):
        _, version, kind = struct.unpack_from(">HBB", b)
        name = {0: "config", 2: "rst", 0x80: "tcn"}[kind]
        if kind == 0x80:
            print(name, version)
            continue
        if len(b) != (35 if kind == 0 else 36):
            fail(f"length {len(b)} of {name}")
        (flags, rpri, root, cost, bpri, bridge, port, age, most, hello,
         fwd) = struct.unpack_from(">BH6sIH6sHHHHH", b, 4)
        print(name, version, f"{flags:02x}", f"{rpri}/{root.hex(':')}", cost,
              f"{bpri}/{bridge.hex(':')}", f"{port:04x}", age / 256,
              most / 256, hello / 256, fwd / 256)


def cmd_bpdus_legal(args):
    """bpdus-legal FILE ROOT: all are about that root, with legal times."""
    count = 0
    for b in bpdus(args[0]):
        if b[3] == 0x80:
            continue
        root, = struct.unpack_from(">6s", b, 7)
        age, most, hello, fwd = struct.unpack_from(">HHHH", b, 27)
        expect(f"root {root.hex(':')}", root == mac_bytes(args[1]))
        expect(f"times {age} {most} {hello} {fwd}",
               age < most and 6 * 256 <= most <= 40 * 256
               and 256 <= hello <= 2 * 256 and 4 * 256 <= fwd <= 30 * 256)
        count += 1
    expect("a BPDU", count > 0)


def cmd_blast(args):
    """blast IF HEX SECONDS: as fast as it goes; prints how many."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((args[0], 0))
    data, count = bytes.fromhex(args[1]), 0
    end = time.monotonic() + float(args[2])
    while time.monotonic() < end:
        for _ in range(500):
            try:
                count += s.send(data) > 0
            except OSError as e:
                if e.errno != 105:  # ENOBUFS
                    raise
    print(count)


def cmd_stream(args):
    """stream IF MS SECONDS: numbered broadcasts, one in so many milliseconds;
    prints how many."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((args[0], 0))
    start = time.monotonic()
    count = int(float(args[2]) * 1000 / float(args[1]))
    for i in range(count):
        left = start + i * float(args[1]) / 1000 - time.monotonic()
        if left > 0:
            time.sleep(left)
        s.send(bytes.fromhex("ffffffffffff020000000077" "88b6")
               + struct.pack(">I", i).ljust(46, b"\0"))
    print(count)


def cmd_stream_check(args):
    """stream-check FILE COUNT: of a capture, prints how many of the stream's
    frames came never, and how many more than once."""
    seen = {}
    for line in open(args[0]):
        if line[24:28] == "88b6":
            seen[line[28:36]] = seen.get(line[28:36], 0) + 1
    print("lost", int(args[1]) - len(seen),
          "twice", sum(n > 1 for n in seen.values()))


def cmd_syslog(args):
    """syslog SOCKET: listens where syslog(3) sends to; a line each."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(args[0])
    print("ready", file=sys.stderr, flush=True)
    while True:
        print(s.recv(4096).decode(), flush=True)


# --- checksums, computed without any of coax's code ---------------------------

def ones_sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def check_l4(proto, pseudo, l4, what):
    if proto == 17 and l4[6:8] == b"\0\0":
        fail(what + ": UDP without a checksum")
    total = ones_sum(pseudo + struct.pack(">I", len(l4))
                     + struct.pack(">I", proto) + l4)
    if total != 0xffff:
        fail(what + ": wrong checksum")


def check_frame(data, what):
    """Dies of a wrong frame. Returns (version, protocol, payload bytes)."""
    kind, = struct.unpack_from(">H", data, 12)
    if kind == 0x0800:
        ihl = (data[14] & 15) * 4
        total, = struct.unpack_from(">H", data, 16)
        proto, ip = data[23], data[14:14 + total]
        if len(ip) != total:
            fail(what + ": cut off")
        if ones_sum(ip[:ihl]) != 0xffff:
            fail(what + ": wrong IPv4 header checksum")
        frag, = struct.unpack_from(">H", ip, 6)
        if frag & 0x3fff:
            return 4, 0, 0
        l4, pseudo, version = ip[ihl:], ip[12:20], 4
    elif kind == 0x86dd:
        length, = struct.unpack_from(">H", data, 18)
        proto, l4 = data[20], data[54:54 + length]
        if len(l4) != length:
            fail(what + ": cut off")
        pseudo, version = data[22:54], 6
    else:
        return 0, 0, 0
    if proto in (6, 17):
        check_l4(proto, pseudo, l4, what)
    if proto == 6:
        return version, 6, len(l4) - (l4[12] >> 4) * 4
    if proto == 17:
        return version, 17, len(l4) - 8
    return version, proto, 0


def cmd_checksums(args):
    """checksums FILE MTU VERSION PROTOCOL BYTES: every frame of a capture is
    right and fits, and those of a protocol carry BYTES at least."""
    mtu, version, proto, want = map(int, args[1:5])
    total = 0
    with open(args[0], encoding="ascii") as f:
        for n, line in enumerate(f, 1):
            data = bytes.fromhex(line.strip())
            if len(data) > mtu + 14:
                fail(f"frame {n}: {len(data)} bytes")
            v, p, size = check_frame(data, f"frame {n}")
            if (v, p) == (version, proto):
                total += size
    print(total)
    if total < want:
        fail(f"only {total} bytes of {want}")


def cmd_fcs(args):
    """fcs HEX: the frame ends with its CRC-32."""
    import zlib
    data = bytes.fromhex(args[0])
    if struct.pack("<I", zlib.crc32(data[:-4])) != data[-4:]:
        fail("wrong FCS")


def cmd_advertise(args):
    """advertise IF PREFIX MAC: a router advertisement, to all nodes."""
    def addr(text):
        return socket.inet_pton(socket.AF_INET6, text)
    src, dst = addr("fe80::1"), addr("ff02::1")
    icmp = bytes.fromhex("8600000040000708") + bytes(8)
    icmp += bytes.fromhex("030440c0") + struct.pack(">III", 3600, 3600, 0)
    icmp += addr(args[1])
    total = ones_sum(src + dst + struct.pack(">II", len(icmp), 58) + icmp)
    icmp = icmp[:2] + struct.pack(">H", total ^ 0xffff) + icmp[4:]
    ip = struct.pack(">IHBB", 0x60000000, len(icmp), 58, 255) + src + dst
    cmd_send([args[0], (bytes.fromhex("333300000001") + mac_bytes(args[2])
                        + b"\x86\xdd" + ip + icmp).hex()])


# --- traffic ------------------------------------------------------------------

def cmd_udpsend(args):
    """udpsend FROM TO PORT BYTES [SEGMENT]: one send; SEGMENT: UDP_SEGMENT."""
    family = socket.AF_INET6 if ":" in args[1] else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind((args[0], 0))
    if len(args) > 4:
        s.setsockopt(socket.IPPROTO_UDP, 103, int(args[4]))
    s.sendto(b"u" * int(args[3]), (args[1], int(args[2])))


def cmd_udprecv(args):
    """udprecv ADDRESS PORT BYTES: waits until so much has come."""
    family = socket.AF_INET6 if ":" in args[0] else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((args[0], int(args[1])))
    print("ready", file=sys.stderr, flush=True)
    got = 0
    while got < int(args[2]):
        got += len(s.recv(70000))
    print(got)


def cmd_tcpserve(args):
    """tcpserve ADDRESS PORT: takes one connection to its end; prints bytes."""
    family = socket.AF_INET6 if ":" in args[0] else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((args[0], int(args[1])))
    s.listen(1)
    print("ready", file=sys.stderr, flush=True)
    c, _ = s.accept()
    total, data = 0, c.recv(1 << 18)
    while data:
        if data != b"t" * len(data):
            fail("other bytes than were sent")
        total += len(data)
        data = c.recv(1 << 18)
    print(total)


def cmd_tcpsend(args):
    """tcpsend ADDRESS PORT BYTES"""
    c = socket.create_connection((args[0], int(args[1])), timeout=20)
    left = int(args[2])
    block = b"t" * 262144
    while left:
        n = min(left, len(block))
        c.sendall(block[:n])
        left -= n
    c.close()


# --- control ------------------------------------------------------------------

class Client:
    """A control client by hand."""

    def __init__(self, path=None, timeout=10):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.s.settimeout(timeout)
        self.s.connect(path or os.environ["COAX_SOCKET"])
        self.buf = b""

    def send(self, data):
        self.s.sendall(data if isinstance(data, bytes) else
                       json.dumps(data).encode() + b"\n")

    def line(self):
        """The next line; None at the end."""
        while b"\n" not in self.buf:
            data = self.s.recv(1 << 16)
            if not data:
                return None
            self.buf += data
        line, _, self.buf = self.buf.partition(b"\n")
        return json.loads(line)

    def call(self, method, **params):
        self.send({"jsonrpc": "2.0", "id": 1, "method": method,
                   "params": params})
        while True:
            answer = self.line()
            if answer is None:
                fail("the daemon hung up")
            if "id" in answer:
                return answer


class TapClient(Client):
    """One that takes the descriptors which come with answers."""

    def __init__(self):
        super().__init__()
        self.fds = []

    def line(self):
        while b"\n" not in self.buf:
            data, fds, _, _ = socket.recv_fds(self.s, 1 << 16, 16)
            self.fds += fds
            if not data:
                return None
            self.buf += data
        line, _, self.buf = self.buf.partition(b"\n")
        return json.loads(line)

    def drop_fds(self):
        for fd in self.fds:
            os.close(fd)
        self.fds = []


def expect(what, condition):
    if not condition:
        fail("not so: " + what)


def alive():
    expect("the daemon answers", Client().call("ping").get("result") == "pong")


def cmd_rpc_errors(_):
    c = Client()
    for line, code in (
            (b"{\n", -32700),
            (b"nonsense\n", -32700),
            (b"\xff\xfe\n", -32700),
            (b"[]\n", -32600),
            (b"1\n", -32600),
            (b'{"jsonrpc":"1.0","id":1,"method":"ping"}\n', -32600),
            (b'{"jsonrpc":"2.0","id":1,"method":5}\n', -32600),
            (b'{"jsonrpc":"2.0","id":1}\n', -32600),
            (b'{"jsonrpc":"2.0","id":1,"method":"no.such"}\n', -32601),
            (b'{"jsonrpc":"2.0","id":1,"method":"iface.get"}\n', -32602),
            (b'{"jsonrpc":"2.0","id":1,"method":"iface.get","params":'
             b'{"name":5}}\n', -32602),
            (b'{"jsonrpc":"2.0","id":1,"method":"iface.get","params":'
             b'{"name":"tap0","more":1}}\n', -32602),
            (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":'
             + b'[' * 100 + b']' * 100 + b'}\n', None)):
        c.send(line)
        answer = c.line()
        expect(f"an answer to {line[:60]!r}", answer is not None)
        expect(f"an error for {line[:60]!r}: {answer}",
               "error" in answer and answer["jsonrpc"] == "2.0"
               and (code is None or answer["error"]["code"] == code)
               and answer["error"]["message"])
    e = c.call("iface.get", name="tap99")["error"]
    expect(f"errno and exit in {e}",
           e["code"] == -32000 and e["data"]["exit"] == 1
           and e["data"]["errno"] in ("ENXIO", "ENOENT"))
    # A notification has no answer: the next answer is the ping's.
    c.send({"jsonrpc": "2.0", "method": "ping"})
    expect("the connection still works", c.call("ping")["result"] == "pong")


def cmd_rpc_batch(_):
    c = Client()
    c.send([{"jsonrpc": "2.0", "id": n, "method": m, "params": p}
            for n, (m, p) in enumerate((
                ("iface.create", {"name": "feth0"}),
                ("iface.create", {"name": "feth0"}),
                ("ifconfig", {"argv": ["feth1", "create"]}),
                ("ifconfig", {"argv": ["feth0", "peer", "feth1"]}),
                ("iface.get", {"name": "feth0"}),
                ("no.such", {}),
                ("iface.destroy", {"name": "feth0"}),
                ("iface.destroy", {"name": "feth1"}),
                ("iface.list", {})))]
           + [{"jsonrpc": "2.0", "method": "ping"}])
    a = c.line()
    expect("answers in order, none for the notification",
           [x["id"] for x in a] == list(range(9)))
    expect("created", a[0]["result"]["name"] == "feth0")
    expect("EEXIST", a[1]["error"]["data"]["errno"] == "EEXIST")
    expect("peered", a[4]["result"]["feth"]["peer"] == "feth1")
    expect("unknown method", a[5]["error"]["code"] == -32601)
    expect("nothing left", a[8]["result"] == [])


def cmd_rpc_readonly(args):
    c = Client(args[0])
    expect("reads", c.call("iface.list")["result"][0]["name"] == "feth0")
    expect("shows", "result" in c.call("ifconfig", argv=["-a"]))
    expect("shows a sysctl",
           "result" in c.call("sysctl", argv=["net.link.fake.max_mtu"]))
    for method, params in (
            ("iface.create", {"name": "feth5"}),
            ("iface.destroy", {"name": "feth0"}),
            ("ifconfig", {"argv": ["feth0", "up"]}),
            ("ifconfig", {"argv": ["feth0", "destroy"]}),
            ("sysctl", {"argv": ["net.link.fake.max_mtu=3000"]}),
            ("tap.open", {"name": None}),
            ("vnet.create", {"name": "v"})):
        answer = c.call(method, **params)
        expect(f"{method} {params} is refused: {answer}",
               answer.get("error", {}).get("data", {}).get("errno") == "EPERM"
               or answer.get("error", {}).get("code") == -32601
               or answer.get("result", {}).get("exit") == 1)
    answer = c.call("sysctl", argv=["-n", "net.link.fake.max_mtu"])
    expect("nothing was set", answer["result"]["out"][0]["value"] == 2048)


def cmd_rpc_longline(_):
    """100 MB without a newline: refused, and nobody else notices."""
    c, total, block = Client(), 0, b"x" * (1 << 20)
    other = Client()
    try:
        for _ in range(100):
            c.s.sendall(block)
            total += len(block)
            expect("others are served", other.call("ping")["result"] == "pong")
    except (BrokenPipeError, ConnectionResetError):
        pass
    expect("it was not all taken", total < 90 << 20)
    try:
        answer = c.line()
        expect("it says why", answer is None or "error" in answer)
    except ConnectionResetError:
        pass
    alive()


def cmd_rpc_halfclose(_):
    """What was asked before the sending side was shut down is answered."""
    c = Client()
    for n in range(50):
        c.send({"jsonrpc": "2.0", "id": n, "method": "ping"})
    c.s.shutdown(socket.SHUT_WR)
    for n in range(50):
        expect("the answer", c.line() == {"jsonrpc": "2.0", "id": n,
                                          "result": "pong"})
    expect("then the end", c.line() is None)
    # And a half-written request dies with its connection.
    c = Client()
    c.send(b'{"jsonrpc":"2.0","id":1,"method":"iface.create","params":'
           b'{"name":"feth77"}}')
    c.s.shutdown(socket.SHUT_WR)
    while c.line() is not None:
        pass
    alive()


def cmd_rpc_flood(_):
    """Clients that send without reading do not keep another from its turn."""
    request = b'{"jsonrpc":"2.0","id":1,"method":"iface.list"}\n' * 200
    flood = [Client() for _ in range(8)]
    for c in flood:
        c.s.setblocking(False)
    other, worst = Client(), 0.0
    for _ in range(200):
        for c in flood:
            try:
                c.s.send(request)
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                pass
        start = time.monotonic()
        expect("an answer", other.call("ping")["result"] == "pong")
        worst = max(worst, time.monotonic() - start)
    print(f"worst {worst * 1000:.1f} ms")
    expect(f"answers in the flood take less than a second, not {worst}",
           worst < 1)


def cmd_rpc_slow(args):
    """A subscriber that does not read is dropped, or told what it lost."""
    c = Client()
    c.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    expect("subscribed", "result" in c.call("events.subscribe"))
    other = Client()
    for n in range(int(args[0])):
        r = other.call("ifconfig", argv=["feth0", "description",
                                         "number %d" % n])
        expect("the change is made", "result" in r)
    start, lost, ended = time.monotonic(), 0, False
    c.s.settimeout(15)
    try:
        while time.monotonic() - start < 15 and not lost:
            e = c.line()
            if e is None:
                ended = True
                break
            if e.get("method") == "event" and e["params"]["type"] == "lost":
                lost = e["params"]["count"]
            # Something that comes after the loss.
            if e.get("method") == "event" and not lost and \
                    not select.select([c.s], [], [], 0)[0]:
                other.call("ifconfig", argv=["feth0", "-description"])
    except ConnectionResetError:
        ended = True
    print("ended" if ended else f"lost {lost}")
    expect("it was dropped or told", ended or lost > 0)
    alive()


def cmd_rpc_pairs(args):
    """Creates N pairs of feths in batches, and puts them on a bridge."""
    n, c = int(args[0]), Client(timeout=60)
    start = time.monotonic()
    todo = [("ifconfig", {"argv": ["bridge0", "create", "up"]})]
    for i in range(0, 2 * n, 2):
        todo.append(("ifconfig", {"argv": [f"feth{i}", "create", "peer",
                                           f"feth{i + 1}", "up"]}))
        todo.append(("ifconfig", {"argv": ["bridge0", "addm", f"feth{i}"]}))
    batch(c, todo)
    created = time.monotonic()
    rows = c.call("iface.list")["result"]
    expect("all are there", len(rows) == 2 * n + 1)
    expect("all are members",
           sum(r.get("member_of") == "bridge0" for r in rows) == n)
    start2 = time.monotonic()
    batch(c, [("iface.destroy", {"name": f"feth{i}"})
              for i in range(2 * n)])
    end = time.monotonic()
    expect("all are gone", len(c.call("iface.list")["result"]) == 1)
    print(f"create {created - start:.2f} s, destroy {end - start2:.2f} s")


def batch(c, todo):
    for i in range(0, len(todo), 1000):
        part = todo[i:i + 1000]
        c.send([{"jsonrpc": "2.0", "id": k, "method": m, "params": p}
                for k, (m, p) in enumerate(part)])
        for a in c.line():
            expect(f"{part[a['id']]}: {a}", "result" in a)


def cmd_rpc_descriptors(_):
    """So many clients that the daemon has no descriptors left."""
    clients = []
    try:
        for _ in range(200):
            clients.append(Client(timeout=2))
    except (BlockingIOError, OSError):
        pass
    answered = 0
    for c in clients:
        try:
            c.s.settimeout(0.2 if answered else 5)
            answered += c.call("ping").get("result") == "pong"
        except (OSError, SystemExit):
            break
    expect("some were served", answered > 0)
    expect("not all were", answered < len(clients))
    # One that is served cannot have a new tap, and is told why.
    r = clients[0].call("tap.open", name=None)
    expect(f"EMFILE or so in {r}", r["error"]["data"]["errno"] in
           ("EMFILE", "ENFILE"))
    for c in clients:
        c.s.close()
    end = time.monotonic() + 10
    while True:
        try:
            c = Client(timeout=2)
            if c.call("ping").get("result") == "pong":
                break
        except OSError:
            pass
        expect("served again after the others left", time.monotonic() < end)
    expect("a tap again", "result" in c.call("tap.open", name=None))


def race(c, requests):
    """Sends one request on each connection, then reads all the answers."""
    for client, (method, params) in zip(c, requests):
        client.send({"jsonrpc": "2.0", "id": 1, "method": method,
                     "params": params})
    return [client.line() for client, _ in zip(c, requests)]


def cmd_rpc_race(_):
    """destroy, create (which waits for the name) and destroy at once."""
    c = [Client() for _ in range(3)]
    for name in ("vether7", "tap7", "bridge7", "feth7"):
        for n in range(6):
            c[0].call("iface.create", name=name)
            how = ("iface.create", {"name": name})
            if n % 2:
                how = ("ifconfig", {"argv": [name, "create", "up"]})
            answers = race(c, [("iface.destroy", {"name": name}), how,
                               ("iface.destroy", {"name": name})])
            expect(f"the first ends it: {answers}", "result" in answers[0])
            for a in answers[1:]:
                expect(f"done, or refused with a reason: {a}",
                       "result" in a or a["error"]["data"]["errno"])
        c[0].call("iface.destroy", name=name)
    expect("nothing is left", c[0].call("iface.list")["result"] == [])


def cmd_rpc_last_open(_):
    """SIGTERM while taps are being opened whose names are not free yet."""
    c = [TapClient() for _ in range(4)]
    other = Client()
    pid = other.call("daemon.info")["result"]["pid"]
    for client in c:
        expect("a tap", "result" in client.call("tap.open", name=None))
    for client in c:
        client.drop_fds()
    while other.call("iface.list")["result"]:
        pass
    for client in c:
        client.send({"jsonrpc": "2.0", "id": 2, "method": "tap.open"})
    # They are under way; what they wait for takes far longer than this.
    while len(other.call("iface.list")["result"]) < len(c):
        pass
    os.kill(pid, signal.SIGTERM)


def cmd_rpc_stress(args):
    """rpc_stress SEED SECONDS: clients that do everything to the same few
    interfaces and vnets at once.

    In a round every client sends one request, before any answer is read; what
    is asked depends on SEED alone.  Some vanish without reading theirs."""
    rng = random.Random(int(args[0]))
    end = time.monotonic() + float(args[1])
    names = ["tap0", "tap1", "vether0", "vether1", "feth0", "feth1", "bridge0"]
    kinds = ["tap", "vether", "feth", "bridge"]
    vnets = ["a", "b"]
    c = [TapClient() for _ in range(12)]
    done = rounds = 0

    def some():
        return rng.choice(names)

    def ifconfig(*argv):
        return "ifconfig", {"argv": list(argv)}

    ops = (
        (5, lambda: ifconfig(some(), "create")),
        (2, lambda: ifconfig(some(), "create", "up", "-host", "host")),
        (2, lambda: ifconfig(rng.choice(kinds), "create")),
        (2, lambda: ifconfig(some(), "create", "vnet", rng.choice(vnets))),
        (6, lambda: ("iface.destroy", {"name": some()})),
        (2, lambda: ifconfig(some(), "name", some())),
        (2, lambda: ifconfig(some(), "up", "mtu", "1400")),
        (5, lambda: ifconfig(some(), "vnet", rng.choice(vnets))),
        (3, lambda: ifconfig(some(), "-vnet", rng.choice(vnets))),
        (3, lambda: ifconfig(some(), "host")),
        (3, lambda: ifconfig(some(), "-host")),
        (3, lambda: ifconfig("bridge0", "addm", some())),
        (2, lambda: ifconfig("bridge0", "deletem", some())),
        (1, lambda: ifconfig("feth0", "peer", "feth1")),
        (4, lambda: ("tap.open", {"name": None})),
        (2, lambda: ("tap.open", {"name": rng.choice(names[:2])})),
        (3, lambda: ("vnet.create", {"name": rng.choice(vnets)})),
        (3, lambda: ("vnet.destroy", {"name": rng.choice(vnets)})),
        (1, lambda: ("iface.list", {})),
        (1, lambda: ("iface.create", {"name": some(),
                                      "vnet": rng.choice(vnets)})),
        (1, lambda: ("iface.destroy", {"name": some(),
                                       "vnet": rng.choice(vnets)})),
    )
    weights = [w for w, _ in ops]

    while time.monotonic() < end:
        rounds += 1
        todo = []
        for _ in c:
            batch_of = 3 if rng.random() < 0.2 else 1
            todo.append([rng.choices(ops, weights)[0][1]()
                         for _ in range(batch_of)])
        gone = [rng.random() < 0.05 for _ in c]
        keep = rng.random() < 0.5
        for client, part in zip(c, todo):
            lines = [{"jsonrpc": "2.0", "id": n, "method": m, "params": p}
                     for n, (m, p) in enumerate(part)]
            client.send(lines if len(lines) > 1 else lines[0])
        for n, client in enumerate(c):
            if gone[n]:
                client.s.close()
                client.drop_fds()
                c[n] = TapClient()
                continue
            answer = client.line()
            expect(f"an answer to {todo[n]}", answer is not None)
            for a in answer if isinstance(answer, list) else [answer]:
                expect(f"no answer of its own making: {a}",
                       "result" in a or a["error"]["code"] == -32000)
                done += "result" in a
        # Taps that came are closed in this round, or in a later one.
        if not keep:
            for client in c:
                client.drop_fds()
    print(f"{rounds} rounds, {done} done")
    expect("some of it could be done", done > rounds)
    for client in c:
        client.s.close()
        client.drop_fds()
    last = Client()
    for v in last.call("vnet.list")["result"]:
        if v["name"]:
            last.call("vnet.destroy", name=v["name"])
    while True:
        rows = last.call("iface.list")["result"]
        if not rows:
            break
        for row in rows:
            last.call("iface.destroy", name=row["name"])
    expect("no vnet is left",
           [v for v in last.call("vnet.list")["result"] if v["name"]] == [])
    # Its pool is whole again.
    pool = last.call("pool.get")["result"]
    for size in ("small", "large"):
        expect(f"no frame is lost: {pool}",
               pool[size]["free"] == pool[size]["total"])


def cmd_rpc_responsive(args):
    """responsive SECONDS: the control socket answers all the time."""
    c, worst = Client(), 0.0
    end = time.monotonic() + float(args[0])
    while time.monotonic() < end:
        start = time.monotonic()
        expect("an answer", c.call("iface.list").get("result") is not None)
        worst = max(worst, time.monotonic() - start)
    print(f"worst {worst * 1000:.1f} ms")
    expect(f"answers take less than half a second, not {worst}", worst < 0.5)


# --- captures -----------------------------------------------------------------

CAPTURE_SIZE = 4096 + 131072
SEALS = 1033  # F_ADD_SEALS
SEAL_SHRINK = 2


class Capture:
    """A capture by hand: memory, the bell and the answer."""

    def __init__(self, size=CAPTURE_SIZE, seals=SEAL_SHRINK, memory=None,
                 bell=None, fds=None, **params):
        self.fd = os.memfd_create("capture", os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, size)
        if seals:
            fcntl.fcntl(self.fd, SEALS, seals)
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(10)
        send = [self.fd if memory is None else memory,
                theirs.fileno() if bell is None else bell]
        send = send if fds is None else send[:fds]
        c = Client()
        params = {"name": "tap0", "fds": len(send), **params}
        line = json.dumps({"jsonrpc": "2.0", "id": 1,
                           "method": "capture.start", "params": params})
        socket.send_fds(c.s, [line.encode() + b"\n"], send)
        self.answer = c.line()
        theirs.close()
        c.s.close()

    def map(self):
        return mmap.mmap(self.fd, CAPTURE_SIZE)

    def ended(self):
        while self.ours.recv(100):
            pass
        return True

    def close(self):
        self.ours.close()
        os.close(self.fd)


def cmd_capture_many(argv):
    """capture_many IFACE...: as many captures of each as may be, until the end
    of standard input; says how many, why no more, and why no larger one."""
    def why(c):
        return c.answer.get("error", {}).get("data", {}).get("errno")

    held, last = [], None
    for name in argv:
        for _ in range(40):
            c = Capture(name=name)
            last = why(c)
            if last is not None:
                break
            held.append(c)
    large = why(Capture(name=argv[-1], size=4096 + (1 << 28)))
    print(len(held), last, large, flush=True)
    sys.stdin.read()


def cmd_capture_hostile(_):
    """What a client may not give for a capture, and what it may not do."""
    def captures():
        return Client().call("sysctl", argv=["-n", "coax.captures"])[
            "result"]["out"][0]["value"]

    def refused(errno_name, **how):
        c = Capture(**how)
        expect(f"{how}: {errno_name} in {c.answer}",
               c.answer.get("error", {}).get("data", {}).get("errno")
               == errno_name)
        c.close()

    taps = TapClient()
    r = taps.call("tap.open", name=None)
    expect(f"tap0: {r}", r.get("result", {}).get("name") == "tap0")
    tap = taps.fds[0]
    taps.call("ifconfig", argv=["tap0", "up"])
    a, b = os.pipe()
    with open("file", "wb+") as f, socket.socket() as tcp:
        f.truncate(CAPTURE_SIZE)
        refused("EPERM", memory=a)
        refused("EPERM", memory=f.fileno())
        refused("EPERM", seals=0)
        refused("EPERM", seals=4)  # against growing only
        refused("EPERM", seals=SEAL_SHRINK | 8)  # against writing
        refused("EMSGSIZE", size=4096)
        refused("EMSGSIZE", size=0)
        refused("EINVAL", size=CAPTURE_SIZE + 4096)
        refused("EINVAL", size=4096 + 3 * 131072)
        refused("EMSGSIZE", size=4097 + (1 << 30))
        refused("EINVAL", bell=b)
        refused("EINVAL", bell=f.fileno())
        refused("EINVAL", bell=tcp.fileno())
        refused("EBADF", fds=1)
        refused("EINVAL", program="x")
        refused("EINVAL", program="1,0 0 0 0")
        refused("EINVAL", program="3,0 0 0 0,5 0 0 4294967294,6 0 0 1")
        refused("EINVAL", program="2,16 0 0 0,6 0 0 1")
        refused("E2BIG", program="5000,6 0 0 0")
        refused("ENXIO", name="tap9")
    for how in ({"direction": "up"}, {"snaplen": 262145}, {"snaplen": -1},
                {"count": -1}, {"drops": 1}, {"program": 5}):
        c = Capture(**how)
        expect(f"{how} refused: {c.answer}", "error" in c.answer)
        c.close()
    # One memory for two, and what was used: never where somebody reads.
    c = Capture()
    expect(f"a capture: {c.answer}", "result" in c.answer)
    os.write(tap, b"\xff" * 60)
    with c.map() as m:
        end = time.monotonic() + 10
        while struct.unpack_from("=Q", m)[0] == 0:
            expect("the frame is in the memory", time.monotonic() < end)
        expect("a block of a packet",
               struct.unpack_from("=I", m, 4096)[0] == 6)
    # Nonsense all over it, zeroes, holes: the capture ends, or goes on.
    for fill in (b"\xff", b"\x80", b"\x01", b"\x7f", b"\0"):
        d = Capture()
        with d.map() as m:
            m[:] = fill * CAPTURE_SIZE
            for _ in range(3000):
                os.write(tap, b"\xff" * 200)
        if fill != b"\0":
            expect("its end", d.ended())
        d.close()
    d = Capture()
    libc = ctypes.CDLL(None, use_errno=True)
    expect("a hole", libc.fallocate(
        d.fd, 3, ctypes.c_long(0), ctypes.c_long(CAPTURE_SIZE)) == 0)
    for _ in range(3000):
        os.write(tap, b"\xff" * 200)
    try:
        os.ftruncate(d.fd, 4096)
        fail("sealed memory was truncated")
    except PermissionError:
        pass
    d.close()
    # A bell that is never read, and one that is talked to.
    d = Capture()
    d.ours.setblocking(False)
    try:
        for _ in range(10000):
            d.ours.send(b"x" * 1000)
    except BlockingIOError:
        pass
    os.write(tap, b"\xff" * 60)
    alive()
    d.close()
    # As many as an interface may have; all end with their bells.
    many = [Capture() for _ in range(40)]
    ok = ["result" in m.answer for m in many]
    expect(f"32 in all: {ok}", ok == [True] * 31 + [False] * 9)
    expect("EBUSY", many[39].answer["error"]["data"]["errno"] == "EBUSY")
    for m in many:
        m.close()
    c.close()
    end = time.monotonic() + 10
    while captures() != 0:
        expect("none is left", time.monotonic() < end)
    alive()


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if sys.argv[1].startswith("rpc"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    name = re.sub(r"\W", "_", sys.argv[1])
    globals()["cmd_" + name](sys.argv[2:])


main()
