"""Gives up on grants that take longer than it waits, and asks again under the same keys.

Usage: giving_up.py PROTO_FOLDER TARGET AUTHORITY KEY_TO_GRANT KEY_TO_ASK RESIDENT_NUMBER NAME
Prints for each way of giving up the first status and the benefit that came of it.
"""

import importlib
import json
import os
import sys
import tempfile
import time

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from grpc_tools import protoc

protos, target, authority, key_to_grant, key_to_ask, resident, name = sys.argv[1:]
folder = tempfile.mkdtemp()
known = os.path.join(os.path.dirname(protoc.__file__), "_proto")
out = [f"--python_out={folder}", f"--grpc_python_out={folder}"]
assert protoc.main(["protoc", f"-I{protos}", f"-I{known}", *out, "naru/v1/gateway.proto"]) == 0
sys.path.insert(0, folder)
messages = importlib.import_module("naru.v1.gateway_pb2")
stubs = importlib.import_module("naru.v1.gateway_pb2_grpc")
with open(authority, "rb") as file:
    credentials = grpc.ssl_channel_credentials(root_certificates=file.read())
stub = stubs.GatewayStub(grpc.secure_channel(target, credentials))
GRANTING = (("x-api-key", key_to_grant),)
ASKING = (("x-api-key", key_to_ask),)


def grant(key, programme):
    request = messages.ExchangeRequest(
        sector="welfare", service="benefitGrant", idempotency_key=key
    )
    fields = {
        "person": resident,
        "name": name,
        "programme": programme,
        "from": "2026-01-01",
        "to": "2026-12-31",
        "monthlyAmount": 310000,
    }
    ParseDict(fields, request.message)
    return request


def settled(request):
    """Repeats under the same key until the outcome is known."""
    while True:
        try:
            reply = stub.Exchange(request, timeout=30, metadata=GRANTING)
            return MessageToDict(reply.message)["benefit"]
        except grpc.RpcError as error:
            again = (grpc.StatusCode.ABORTED, grpc.StatusCode.DEADLINE_EXCEEDED)
            assert error.code() in again, error
            time.sleep(0.1)


def on_the_ledger(group):
    """Asks, and never repeats the grant, until the ledger has it."""
    check = {"person": resident, "group": group, "from": "2026-01-01", "to": "2026-12-31"}
    request = messages.ExchangeRequest(sector="welfare", service="overlapCheck")
    ParseDict(check, request.message)
    while True:
        reply = MessageToDict(stub.Exchange(request, timeout=30, metadata=ASKING).message)
        if reply["overlapping"]:
            return reply["benefit"]


outcomes = {}
request = grant("L-1", "youth-rent")
try:
    stub.Exchange(request, timeout=0.3, metadata=GRANTING)
    outcomes["deadline"] = {"first": "OK"}
except grpc.RpcError as error:
    outcomes["deadline"] = {"first": error.code().name}
outcomes["deadline"]["benefit"] = settled(request)

request = grant("L-2", "child-allowance")
call = stub.Exchange.future(request, timeout=30, metadata=GRANTING)
time.sleep(0.3)
call.cancel()
outcomes["cancelled"] = {"first": call.code().name, "benefit": on_the_ledger("child")}
json.dump(outcomes, sys.stdout)
