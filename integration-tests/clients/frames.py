"""Sends what no gRPC library would: frames that lie, by the h2 package over TLS.

Usage: frames.py HOST PORT AUTHORITY API_KEY REQUEST_FILE
Prints one JSON object: for each case the gRPC status and its message, or how the connection ended.
"""

import json
import socket
import ssl
import struct
import sys
import urllib.parse

import h2.config
import h2.connection
import h2.events

host, port, authority, api_key, request_file = sys.argv[1:]
with open(request_file, "rb") as file:
    request = file.read()


def connect():
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(["h2"])
    plain = socket.create_connection((host, int(port)), timeout=30)
    return context.wrap_socket(plain, server_hostname=host)


def call(body, **headers):
    """One call with these bytes as its body; END_STREAM after them."""
    stream = connect()
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    sent = {
        ":method": "POST",
        ":scheme": "https",
        ":path": "/naru.v1.Gateway/Exchange",
        ":authority": host,
        "content-type": "application/grpc",
        "te": "trailers",
        "x-api-key": api_key,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    connection.send_headers(1, list(sent.items()))
    connection.send_data(1, body, end_stream=True)
    stream.sendall(connection.data_to_send())
    received = {}
    while True:
        data = stream.recv(65536)
        if not data:
            return {"connection": "closed", **received}
        for event in connection.receive_data(data):
            if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                received.update(dict(event.headers))
            elif isinstance(event, h2.events.DataReceived):
                connection.acknowledge_received_data(event.flow_controlled_length, 1)
            elif isinstance(event, h2.events.StreamReset):
                return {"reset": event.error_code, **received}
            elif isinstance(event, h2.events.StreamEnded):
                return received
        stream.sendall(connection.data_to_send())


def said(received):
    message = urllib.parse.unquote(received.get("grpc-message", ""))
    return {
        "http": received.get(":status"),
        "grpc": received.get("grpc-status"),
        "message": message,
        "receipt": "naru-receipt" in received,
    }


def frame(message, flag=0, length=None):
    return struct.pack(">BI", flag, len(message) if length is None else length) + message


def garbage(data):
    """Bytes that are no HTTP/2 at all; the connection just ends."""
    stream = connect()
    try:
        stream.sendall(data)
        while stream.recv(65536):
            pass
    except (ConnectionError, ssl.SSLError):
        pass
    return "closed"


cases = {
    "good": frame(request),
    "no-message": b"",
    "two-messages": frame(request) * 2,
    "compressed": frame(request, flag=1),
    "unknown-flag": frame(request, flag=9),
    "longer-than-said": frame(request) + b"\x00\x00",
    "shorter-than-said": frame(request, length=len(request) + 10),
    "huge-length": frame(b"", length=0xFFFFFFFF),
}
outcomes = {name: said(call(body)) for name, body in cases.items()}
outcomes["deadline-passed"] = said(call(frame(request), grpc_timeout="1n"))
outcomes["deadline-invalid"] = said(call(frame(request), grpc_timeout="soon"))
outcomes["unknown-compression"] = said(call(frame(request), grpc_encoding="zip"))
outcomes["garbage"] = [
    garbage(b"\x00" * 4096),
    garbage(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 4096),
    garbage(b"GET / HTTP/1.1\r\n\r\n"),
]
outcomes["still-there"] = said(call(frame(request)))
json.dump(outcomes, sys.stdout)
