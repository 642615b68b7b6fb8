"""A bank that calls by gRPC with stubs generated here from the published .proto.

Usage: bank.py PROTO_FOLDER TARGET AUTHORITY CERTIFICATE KEY API_KEY RESIDENT_NUMBER NAME
Prints one JSON object: what each step came to.
"""

import importlib
import json
import os
import sys
import tempfile
import time

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status
from grpc_tools import protoc

protos, target, authority, certificate, key, api_key, resident, name = sys.argv[1:]

folder = tempfile.mkdtemp()
known = os.path.join(os.path.dirname(protoc.__file__), "_proto")
out = [f"--python_out={folder}", f"--grpc_python_out={folder}"]
assert protoc.main(["protoc", f"-I{protos}", f"-I{known}", *out, "naru/v1/gateway.proto"]) == 0
sys.path.insert(0, folder)
messages = importlib.import_module("naru.v1.gateway_pb2")
stubs = importlib.import_module("naru.v1.gateway_pb2_grpc")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def channel(**credentials):
    secure = grpc.ssl_channel_credentials(root_certificates=read(authority), **credentials)
    return grpc.secure_channel(target, secure)


by_certificate = channel(private_key=read(key), certificate_chain=read(certificate))
by_key = channel()


def outcome(call):
    try:
        reply, made = call()
    except grpc.RpcError as error:
        status = rpc_status.from_call(error)
        said = {"status": error.code().name, "message": error.details()}
        for detail in status.details if status else []:
            for kind in (
                error_details_pb2.ErrorInfo,
                error_details_pb2.RetryInfo,
                error_details_pb2.QuotaFailure,
            ):
                if detail.Is(kind.DESCRIPTOR):
                    value = kind()
                    detail.Unpack(value)
                    said[kind.DESCRIPTOR.name] = MessageToDict(value)
        trailers = error.trailing_metadata() or ()
        return {**said, "metadata": {k: v for k, v in trailers if isinstance(v, str)}}
    return {
        "status": "OK",
        "message": MessageToDict(reply.message),
        "exchange": reply.exchange,
        "receipt": reply.receipt,
        "pending": reply.pending,
        "quota": [MessageToDict(quota) for quota in reply.quota],
        "metadata": dict(made.initial_metadata()),
    }


def exchange(service, fields, idempotency_key="", sector="welfare", over=by_certificate, **options):
    request = messages.ExchangeRequest(
        sector=sector, service=service, idempotency_key=idempotency_key
    )
    ParseDict(fields, request.message)
    stub = stubs.GatewayStub(over)
    return outcome(lambda: stub.Exchange.with_call(request, timeout=30, **options))


def raw(bytes_, path="/naru.v1.Gateway/Exchange"):
    method = by_certificate.unary_unary(path, lambda sent: sent, lambda received: received)
    return outcome(lambda: method.with_call(bytes_, timeout=30))


period = {"from": "2026-01-01", "to": "2026-12-31"}
check = {"person": resident, "group": "housing", **period}
grant = {
    "person": resident,
    "name": name,
    "programme": "youth-rent",
    **period,
    "monthlyAmount": 310000,
}
steps = {}

reflected = ProtoReflectionDescriptorDatabase(by_key)
pool = descriptor_pool.DescriptorPool(reflected)
exchange_method = pool.FindServiceByName("naru.v1.Gateway").FindMethodByName("Exchange")
steps["reflection"] = {
    "services": sorted(reflected.get_services()),
    "input": exchange_method.input_type.full_name,
    "fields": [field.name for field in exchange_method.input_type.fields],
}
health = health_pb2_grpc.HealthStub(by_key)
steps["health"] = [
    health_pb2.HealthCheckResponse.ServingStatus.Name(
        health.Check(health_pb2.HealthCheckRequest(service=service)).status
    )
    for service in ("", "naru.v1.Gateway")
]

steps["free"] = exchange("overlapCheck", check)
steps["granted"] = exchange("benefitGrant", grant, "G-1")
steps["repeated"] = exchange("benefitGrant", grant, "G-1")
steps["reused"] = exchange("benefitGrant", {**grant, "monthlyAmount": 1}, "G-1")
steps["overlapping"] = exchange("benefitGrant", grant, "G-2")
steps["keyless"] = exchange("benefitGrant", grant)
steps["taken"] = exchange("overlapCheck", check)
steps["unconsented"] = exchange("history", {"person": resident, "group": "housing"})
benefit = steps["granted"]["message"]["benefit"]
end = {"benefit": benefit, "end": "2026-06-30", "reason": "moved"}
steps["ended"] = exchange("benefitEnd", end, "G-3")

for_later = (("prefer", "respond-async"),)
taken = exchange("overlapCheck", check, metadata=for_later)
steps["taken-for-later"] = taken
stub = stubs.GatewayStub(by_certificate)
named = messages.CollectRequest(exchange=taken["exchange"])
for _ in range(600):
    steps["collected"] = outcome(lambda: stub.Collect.with_call(named, timeout=30))
    if not steps["collected"].get("pending"):
        break
    time.sleep(0.05)
refused = exchange("history", {"person": resident, "group": "housing"}, metadata=for_later)
named = messages.CollectRequest(exchange=refused["exchange"])
for _ in range(600):
    steps["collected-refusal"] = outcome(lambda: stub.Collect.with_call(named, timeout=30))
    if not steps["collected-refusal"].get("pending"):
        break
    time.sleep(0.05)
other = stubs.GatewayStub(by_key)
as_other = {"timeout": 30, "metadata": (("x-api-key", api_key),)}
steps["not-ones-own"] = outcome(lambda: other.Collect.with_call(named, **as_other))
unnamed = messages.CollectRequest(exchange="x")
steps["no-exchange"] = outcome(lambda: stub.Collect.with_call(unnamed, timeout=30))

with_key = {"over": by_key, "metadata": (("x-api-key", api_key),)}
steps["quota"] = [exchange("overlapCheck", check, **with_key) for _ in range(4)]
steps["stranger"] = exchange("overlapCheck", check, over=by_key)
wrong = (("x-api-key", "wrong"),)
steps["wrong-key"] = exchange("overlapCheck", check, over=by_key, metadata=wrong)

bad = {
    "date-as-number": {**check, "from": 20260101},
    "no-such-day": {**check, "from": "2026-02-30"},
    "unknown-field": {**check, "surname": "x"},
    "missing-field": period,
    "list-for-text": {**check, "group": ["housing"]},
    "fraction": {**grant, "monthlyAmount": 0.5},
    "too-large-number": {**grant, "monthlyAmount": 1e15},
    "not-a-resident": {**check, "person": "901301-1234567"},
}
steps["bad"] = {
    name: exchange("benefitGrant" if "monthlyAmount" in fields else "overlapCheck", fields, "B")
    for name, fields in bad.items()
}
steps["bad"]["no-service"] = exchange("noSuchService", check)
steps["bad"]["no-sector"] = exchange("overlapCheck", check, sector="")
steps["bad"]["empty"] = raw(b"")
steps["bad"]["not-protobuf"] = raw(b"\x0a\xff\xff\xff\xff\xff")
steps["bad"]["huge"] = raw(b"\x00" * (2 << 20))
steps["bad"]["no-method"] = raw(b"", "/naru.v1.Gateway/Other")
steps["bad"]["no-such-grpc-service"] = raw(b"", "/naru.v1.Elsewhere/Exchange")
steps["still-there"] = exchange("overlapCheck", check)
json.dump(steps, sys.stdout, ensure_ascii=False)
