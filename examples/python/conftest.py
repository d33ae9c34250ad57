# SPDX-License-Identifier: BSD-2-Clause
"""pytest fixtures for tests of anything that speaks Ethernet.

    def test_something(port):
        port.send(frame)
        assert port.recv(timeout=5) == ...

Each test has a daemon of its own, on a socket in its temporary folder, and a
bridge0 in it: no root, no namespaces, nothing of one test reaches another, and
all of it ends with the test. `port` is an open tap on that bridge; `ports` makes
more of them; `switch` is the connection to the daemon.

COAXD names the daemon's program, if it is not on the PATH.
"""

import os
import select
import subprocess

import pytest

import coax


@pytest.fixture
def switch(tmp_path, monkeypatch):
    """A daemon with an empty bridge0, and a connection to it."""
    path = str(tmp_path / "coax.sock")
    daemon = subprocess.Popen([os.environ.get("COAXD", "coaxd"), "-S", path],
                              stderr=subprocess.PIPE)
    try:
        said = b""
        while b"coaxd: ready" not in said:
            assert select.select([daemon.stderr], [], [], 15)[0], said
            more = os.read(daemon.stderr.fileno(), 4096)
            assert more, said
            said += more
        monkeypatch.setenv("COAX_SOCKET", path)
        with coax.Coax(path) as c:
            # Where the daemon could have netdevs, these tests need none.
            c.request("sysctl", argv=["net.link.host_attach=0"])
            c.ifconfig("bridge0", "create", "up")
            yield c
    finally:
        daemon.terminate()
        assert daemon.wait(15) == 0
        daemon.stderr.close()


@pytest.fixture
def ports(switch):
    """ports(): one more open tap on bridge0, which is up."""
    made = []

    def make():
        tap = coax.Tap()
        made.append(tap)
        switch.ifconfig("bridge0", "addm", tap.name)
        switch.ifconfig(tap.name, "up")
        return tap

    yield make
    for tap in made:
        tap.close()


@pytest.fixture
def port(ports):
    """An open tap on bridge0."""
    return ports()
