# SPDX-License-Identifier: BSD-2-Clause
"""coax for Python programs and tests: libcoax through ctypes.

    import coax

    with coax.Coax() as c:                      # the daemon of COAX_SOCKET
        c.ifconfig("bridge0", "create", "up")
        with coax.Tap() as port:                # a new tap, which ends here
            c.ifconfig("bridge0", "addm", port.name)
            c.ifconfig(port.name, "up")
            port.send(b"\\xff" * 6 + port.mac + b"\\x88\\xb5" + b"hello")
            frame = port.recv(timeout=1)        # None if there is none

The library is libcoax.so.0, or what COAX_LIBRARY names.
"""

import ctypes
import json
import os
import select

_lib = ctypes.CDLL(os.environ.get("COAX_LIBRARY", "libcoax.so.0"))

_NAME_MAX = 16
_FRAME_MAX = 65664

for _name, _result, _args in (
        ("coax_connect", ctypes.c_int, [ctypes.c_char_p, ctypes.c_void_p]),
        ("coax_close", None, [ctypes.c_void_p]),
        ("coax_request", ctypes.c_int,
         [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p,
          ctypes.c_void_p]),
        ("coax_fd", ctypes.c_int, [ctypes.c_void_p]),
        ("coax_next_event", ctypes.c_int,
         [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]),
        ("coax_errmsg", ctypes.c_char_p, [ctypes.c_void_p]),
        ("coax_tap_open", ctypes.c_int, [ctypes.c_char_p, ctypes.c_char_p]),
        ("coax_tap_ifname", ctypes.c_int, [ctypes.c_int, ctypes.c_char_p])):
    _f = getattr(_lib, _name)
    _f.restype, _f.argtypes = _result, _args
_free = ctypes.CDLL(None).free
_free.argtypes = [ctypes.c_void_p]


class Error(OSError):
    """What the daemon refused, in its words; errno as in C."""


def _take(pointer):
    """The text of the library's, which is freed; as JSON."""
    try:
        return json.loads(ctypes.string_at(pointer))
    finally:
        _free(pointer)


class Coax:
    """A connection to a daemon."""

    def __init__(self, path=None):
        self._c = ctypes.c_void_p()
        err = _lib.coax_connect(path.encode() if path else None,
                                ctypes.byref(self._c))
        if err < 0:
            raise Error(-err, os.strerror(-err), path or "coaxd")

    def request(self, method, **params):
        """Calls a method of coax-rpc(7); its result."""
        text = ctypes.c_void_p()
        err = _lib.coax_request(self._c, method.encode(),
                                json.dumps(params).encode(),
                                ctypes.byref(text))
        if err < 0:
            raise Error(-err, _lib.coax_errmsg(self._c).decode())
        return _take(text)

    def ifconfig(self, *words):
        """One line of ifconfig(8); what it prints, as data."""
        return self.request("ifconfig", argv=list(map(str, words)))["out"]

    def fileno(self):
        """For select and asyncio: readable when there may be an event."""
        return _lib.coax_fd(self._c)

    def event(self, timeout=0.0):
        """The next event after request("events.subscribe"), or None."""
        text = ctypes.c_void_p()
        n = _lib.coax_next_event(
            self._c, -1 if timeout is None else int(timeout * 1000),
            ctypes.byref(text))
        if n < 0:
            raise Error(-n, _lib.coax_errmsg(self._c).decode())
        return _take(text) if n else None

    def close(self):
        _lib.coax_close(self._c)
        self._c = ctypes.c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Tap:
    """A descriptor that is a network card: one that exists, or a new one."""

    def __init__(self, name=None):
        buf = ctypes.create_string_buffer(_NAME_MAX)
        self.fd = _lib.coax_tap_open(name.encode() if name else None, buf)
        if self.fd < 0:
            raise Error(-self.fd, os.strerror(-self.fd), name or "tap")

    @property
    def name(self):
        """Its present name."""
        buf = ctypes.create_string_buffer(_NAME_MAX)
        err = _lib.coax_tap_ifname(self.fd, buf)
        if err < 0:
            raise Error(-err, os.strerror(-err))
        return buf.value.decode()

    @property
    def mac(self):
        """Its Ethernet address, 6 bytes."""
        with Coax() as c:
            text = c.request("iface.get", name=self.name)["ether"]
        return bytes.fromhex(text.replace(":", ""))

    def fileno(self):
        return self.fd

    def send(self, frame):
        os.write(self.fd, frame)

    def recv(self, timeout=None):
        """The next frame; None after so many seconds without one."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return None
        return os.read(self.fd, _FRAME_MAX)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
