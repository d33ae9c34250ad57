# SPDX-License-Identifier: BSD-2-Clause
"""usage: etherip.py serve LOCAL REMOTE MAC ADDRESS [reversed]
       etherip.py send LOCAL REMOTE HEX ...

The other end of a tunnel as RFC 3378 has it, on a raw socket and of nothing
else: IP protocol 97; version 3 in the high half of the first byte, twelve bits
of zeros, an Ethernet frame without its FCS.

serve is a station MAC with ADDRESS behind it, which answers ARP and echo
requests; for each packet it prints the two header bytes and the length of the
frame. With reversed it sends what FreeBSD up to 7.2 did: 03 00. send sends
payloads as they are.
"""

import logging
import socket
import sys

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.layers.inet import ICMP, IP  # noqa: E402
from scapy.layers.l2 import ARP, Ether  # noqa: E402

PROTO = 97


def open_socket(local, remote):
    v6 = ":" in local
    s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET,
                      socket.SOCK_RAW, PROTO)
    s.bind((local, 0))
    s.connect((remote, 0))
    return s, v6


def answer(frame, mac, address):
    if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == address:
        return (Ether(src=mac, dst=frame.src) /
                ARP(op=2, hwsrc=mac, psrc=address, hwdst=frame[ARP].hwsrc,
                    pdst=frame[ARP].psrc))
    if ICMP in frame and frame[ICMP].type == 8 and frame[IP].dst == address:
        return (Ether(src=mac, dst=frame.src) /
                IP(src=address, dst=frame[IP].src) /
                ICMP(type=0, id=frame[ICMP].id, seq=frame[ICMP].seq) /
                frame[ICMP].payload)
    return None


def serve(local, remote, mac, address, header):
    s, v6 = open_socket(local, remote)
    print("ready", flush=True)
    while True:
        data = s.recv(65535)
        if not v6:
            data = data[(data[0] & 15) * 4:]
        print(data[:2].hex(), len(data) - 2, flush=True)
        reply = answer(Ether(data[2:]), mac, address)
        if reply is not None:
            s.send(header + bytes(reply))


def main():
    what, local, remote = sys.argv[1:4]
    if what == "serve":
        mac, address = sys.argv[4:6]
        serve(local, remote, mac, address,
              b"\x03\0" if "reversed" in sys.argv[6:] else b"\x30\0")
    s, _ = open_socket(local, remote)
    for payload in sys.argv[4:]:
        s.send(bytes.fromhex(payload))


main()
