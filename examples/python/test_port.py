# SPDX-License-Identifier: BSD-2-Clause
"""What a test with the fixtures of conftest.py looks like: a switch is tried
from its ports, and a program under test would sit behind one of them."""

import errno

import pytest

import coax

BROADCAST = b"\xff" * 6
TYPE = b"\x88\xb5"  # for experiments (IEEE 802)


def frame(dst, src, text):
    return (dst + src + TYPE + text).ljust(60, b"\0")


def test_one_port_hears_nothing_of_its_own(port):
    port.send(frame(BROADCAST, port.mac, b"hello"))
    assert port.recv(timeout=0.2) is None


def test_broadcast_reaches_the_others(port, ports):
    others = [ports(), ports()]
    sent = frame(BROADCAST, port.mac, b"to all")
    port.send(sent)
    for other in others:
        assert other.recv(timeout=5) == sent


def test_learned_address_is_sent_to_one_port(switch, port, ports):
    other, third = ports(), ports()
    other.send(frame(BROADCAST, other.mac, b"here I am"))
    assert port.recv(timeout=5) and third.recv(timeout=5)
    assert [a["iface"] for a in
            switch.request("bridge.addresses", name="bridge0")
            ] == [other.name]
    sent = frame(other.mac, port.mac, b"to you")
    port.send(sent)
    assert other.recv(timeout=5) == sent
    # A later broadcast is all that the third port gets.
    last = frame(BROADCAST, port.mac, b"to all")
    port.send(last)
    assert third.recv(timeout=5) == last


def test_lost_frames_on_a_bad_wire(switch, port, ports):
    other = ports()
    switch.ifconfig(other.name, "impair", "loss", "100%", "seed", "1")
    port.send(frame(BROADCAST, port.mac, b"lost"))
    assert other.recv(timeout=0.2) is None
    switch.ifconfig(other.name, "-impair")
    sent = frame(BROADCAST, port.mac, b"not lost")
    port.send(sent)
    assert other.recv(timeout=5) == sent


def test_events(switch, port):
    switch.request("events.subscribe", types=["link"])
    port.close()
    event = switch.event(timeout=5)
    assert event["type"] == "link"


def test_refusals_are_exceptions(switch):
    with pytest.raises(coax.Error) as e:
        switch.ifconfig("bridge9", "up")
    assert e.value.errno == errno.ENXIO
    with pytest.raises(coax.Error):
        coax.Tap("tap77")
