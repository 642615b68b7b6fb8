"""City A's telegrams over raw sockets, framed by hand in every way there is. Nothing here is Naru's.

telegram.py JSON: {"key", "listeners": {name: port}, "switch": port, "tls": {"port", "ca", "cert",
"key"}}. Prints "ok" at the end; any deviation is an assertion.
"""

import json
import socket
import ssl
import struct
import sys

RECEIPT = 4096


def text(value, length):
    data = value.encode("cp949")
    assert len(data) <= length
    return data.ljust(length)


def request(transaction, serial, key, body=b"", message_type="0200"):
    header = text(transaction, 6) + text(message_type, 4) + text("CITYA001", 8) + text(key, 64)
    header += b"20260302" + b"090000" + b"%010d" % serial + b"0000" + text("", 60) + text("", 6)
    assert len(header) == 176
    return header + body


def history(serial, key):
    return request("WLF005", serial, key, b"9001011234567" + b"20")


def read_exact(stream, count):
    data = b""
    while len(data) < count:
        more = stream.recv(count - len(data))
        assert more, f"closed after {len(data)} of {count} bytes"
        data += more
    return data


class Digits:
    def __init__(self, count, inclusive=False, zone=0x30):
        self.count, self.own, self.zone = count, count if inclusive else 0, zone

    def frame(self, message):
        digits = b"%0*d" % (self.count, len(message) + self.own)
        return bytes(digit & 0x0F | self.zone for digit in digits) + message

    def read(self, stream):
        digits = bytes(digit & 0x0F | 0x30 for digit in read_exact(stream, self.count))
        return read_exact(stream, int(digits) - self.own)

    def lies(self):
        yield b"X" * self.count
        yield bytes([self.zone | 9]) * self.count
        if self.own:
            yield bytes([self.zone]) * self.count
        yield self.frame(b"short")[:-1]


class Within:
    """The header begins with a length field that counts everything, itself too."""

    def frame(self, message):
        return b"%04d" % (len(message) + 4) + message

    def read(self, stream):
        return read_exact(stream, int(read_exact(stream, 4)) - 4)

    def lies(self):
        yield b"0003"
        yield b"00 9"


class Binary:
    def __init__(self, form, inclusive=False):
        self.form, self.size = form, struct.calcsize(form)
        self.own = self.size if inclusive else 0

    def frame(self, message):
        return struct.pack(self.form, len(message) + self.own) + message

    def read(self, stream):
        (length,) = struct.unpack(self.form, read_exact(stream, self.size))
        return read_exact(stream, length - self.own)

    def lies(self):
        yield b"\xff" * self.size
        yield self.frame(b"short")[:-1]
        if self.own:
            yield b"\0" * self.size


class StxEtx:
    @staticmethod
    def check(message):
        value = 3
        for byte in message:
            value ^= byte
        return value

    def frame(self, message):
        return b"\x02" + message + b"\x03" + bytes([self.check(message)])

    def read(self, stream):
        assert read_exact(stream, 1) == b"\x02"
        message = b""
        while not message.endswith(b"\x03"):
            message += read_exact(stream, 1)
        message = message[:-1]
        assert read_exact(stream, 1)[0] == self.check(message)
        return message

    def lies(self):
        yield b"no start\x03"
        yield b"\x02twice\x02\x03"
        yield b"\x02wrong\x03\x00"
        yield b"\x02unfinished"


class Lines:
    def frame(self, message):
        return message + b"\r\n"

    def read(self, stream):
        message = b""
        while not message.endswith(b"\r\n"):
            message += read_exact(stream, 1)
        return message[:-2]

    def lies(self):
        yield b"x" * 20000
        yield b"unfinished"


FRAMINGS = {
    "digits-4": Digits(4),
    "digits-6": Digits(6, inclusive=True),
    "digits-8": Digits(8),
    "digits-ebcdic": Digits(4, zone=0xF0),
    "within": Within(),
    "binary-2": Binary(">H"),
    "binary-4": Binary("<I", inclusive=True),
    "stx-etx": StxEtx(),
    "newline": Lines(),
}


def code(reply):
    return reply[106:110].decode()


def serial(reply):
    return int(reply[32 + 64 : 42 + 64])


def connect(port):
    stream = socket.create_connection(("127.0.0.1", port), timeout=30)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def refused(stream, framing):
    """The refusal of what is no telegram, and the end of the connection."""
    reply = framing.read(stream)
    assert code(reply) == "9001", code(reply)
    assert len(reply.strip()) > RECEIPT // 10, "it has a receipt"
    assert stream.recv(1) == b"", "the connection is of no more use"
    stream.close()


def each_framing(name, port, key):
    framing = FRAMINGS[name]
    with connect(port) as stream:
        # Two on one connection, the second byte by byte.
        stream.sendall(framing.frame(history(1, key)))
        assert code(framing.read(stream)) == "9201", name
        for byte in framing.frame(history(2, key)):
            stream.sendall(bytes([byte]))
        reply = framing.read(stream)
        assert (code(reply), serial(reply)) == ("9201", 2), name
    # A connection for one message, whose client sends nothing more.
    with connect(port) as stream:
        stream.sendall(framing.frame(history(3, key)))
        stream.shutdown(socket.SHUT_WR)
        assert code(framing.read(stream)) == "9201", name
        assert stream.recv(1) == b""
    for lie in framing.lies():
        stream = connect(port)
        stream.sendall(lie)
        stream.shutdown(socket.SHUT_WR)
        refused(stream, framing)
    # One that never finishes its telegram.
    stream = connect(port)
    stream.sendall(framing.frame(history(4, key))[:-1])
    refused(stream, framing)


def many_at_once(port, key):
    """Replies come as they are finished and are known by their serial numbers."""
    framing = FRAMINGS["digits-4"]
    with connect(port) as stream:
        wanted = set(range(100, 140))
        alive = request("TST001", 999, key, b"\x03\x00are you there?", message_type="0800")
        stream.sendall(b"".join(framing.frame(history(each, key)) for each in sorted(wanted)))
        stream.sendall(framing.frame(alive))
        while wanted:
            reply = framing.read(stream)
            if serial(reply) == 999:
                assert reply[6:10] == b"0810" and code(reply) == "0000"
                assert reply[176:] == b"\x03\x00are you there?", "no receipt, for nothing was done"
                continue
            assert code(reply) == "9201"
            wanted.remove(serial(reply))


def over_tls(port, key, ca, certificate, private_key):
    framing = FRAMINGS["digits-4"]
    for shows, wanted in [(False, "9201"), (True, "9101")]:
        context = ssl.create_default_context(cafile=ca)
        if shows:
            context.load_cert_chain(certificate, private_key)
        with context.wrap_socket(connect(port), server_hostname="localhost") as stream:
            stream.sendall(framing.frame(history(5, key)))
            # A ministry's certificate and a city's key are of two members.
            assert code(framing.read(stream)) == wanted
    # Half a handshake.
    stream = connect(port)
    stream.sendall(b"\x16\x03\x01")
    assert stream.recv(1) == b"", "nobody waits for the rest for ever"
    plain = connect(port)
    plain.sendall(framing.frame(history(6, key)))
    while plain.recv(64):
        pass


def as_switch(port, key):
    """The gateway connects to us, again after each connection, and serves what we send."""
    framing = FRAMINGS["digits-4"]
    server = socket.create_server(("127.0.0.1", port))
    server.settimeout(30)
    for each in range(3):
        stream, _ = server.accept()
        stream.settimeout(30)
        stream.sendall(framing.frame(history(200 + each, key)))
        reply = framing.read(stream)
        assert (code(reply), serial(reply)) == ("9201", 200 + each)
        stream.close()


def main():
    given = json.loads(sys.argv[1])
    key = given["key"]
    for name, port in given["listeners"].items():
        each_framing(name, port, key)
    many_at_once(given["listeners"]["digits-4"], key)
    over_tls(key=key, **given["tls"])
    as_switch(given["switch"], key)
    print("ok")


main()
