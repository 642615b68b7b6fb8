"""A client that knows the REST services by their served OpenAPI document alone.

Usage: openapi_client.py URL CERTIFICATE KEY AUTHORITY RESIDENT_NUMBER NAME
The document is validated by openapi-spec-validator, and every request sent and reply received by
openapi-core. Prints one JSON object per step: its status, and what the validator said of it.
"""

import json
import sys
import threading

import requests
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_spec_validator import validate

url, certificate, key, authority, resident, name = sys.argv[1:]
session = requests.Session()
session.trust_env = False
session.cert = (certificate, key)
session.verify = authority

document = session.get(f"{url}/openapi.json").json()
validate(document)
config = Config(extra_media_type_deserializers={"application/problem+json": json.loads})
api = OpenAPI.from_dict(document, config=config)
steps = []


def errors(kind, check):
    try:
        check()
    except Exception as error:  # openapi-core's errors have no common base worth naming
        # The text of some of them cannot be made of bytes that are not UTF-8.
        return f"{kind}: {type(error).__name__}: {error.__cause__!r}"
    return None


def call(step, service, body, idempotency=None, raw=None, content_type="application/json"):
    headers = {"Content-Type": content_type}
    if idempotency:
        headers["Idempotency-Key"] = f'"{idempotency}"'
    data = json.dumps(body).encode() if raw is None else raw
    request = requests.Request("POST", f"{url}/{service}", headers=headers, data=data)
    prepared = session.prepare_request(request)
    reply = session.send(prepared)
    asked = RequestsOpenAPIRequest(prepared)
    answered = RequestsOpenAPIResponse(reply)
    steps.append(
        {
            "step": step,
            "status": reply.status_code,
            "media": reply.headers["Content-Type"],
            "code": reply.json().get("code") if reply.content else None,
            "request": errors("request", lambda: api.validate_request(asked)),
            "reply": errors("reply", lambda: api.validate_response(asked, answered)),
            "body": reply.json() if reply.content else None,
        }
    )
    return reply


period = {"from": "2026-01-01", "to": "2026-12-31"}
check = {"residentNumber": resident, "group": "housing", **period}
grant = {
    "residentNumber": resident,
    "name": name,
    "programme": "youth-rent",
    "monthlyAmount": 200000,
    **period,
}

call("free", "overlapCheck", check)
call("without a key", "benefitGrant", grant)
call("grant", "benefitGrant", grant, "k-1")
call("grant again", "benefitGrant", grant, "k-1")
call("key reused", "benefitGrant", {**grant, "monthlyAmount": 1}, "k-1")
call("refused", "benefitGrant", {**grant, "programme": "housing-benefit"}, "k-2")
call("taken", "overlapCheck", check)
call("member missing", "overlapCheck", period)
call("member unknown", "overlapCheck", {**check, "other": 1})
call("no such day", "overlapCheck", {**check, "from": "2026-02-30"})
call("fraction", "benefitGrant", {**grant, "monthlyAmount": 0.5}, "k-3")
call("too large a number", "benefitGrant", {**grant, "monthlyAmount": 10**30}, "k-4")
text = json.dumps(check).encode()
for step, raw in [
    ("duplicate", text.replace(b"{", b'{"group": "child", ', 1)),
    ("byte order mark", b"\xef\xbb\xbf" + text),
    ("not UTF-8", text.replace(b"housing", b"hous\xff")),
    ("trailing", text + b"{}"),
    ("cut off", text[:-2]),
    ("deep", b"[" * 100000),
    ("deep member", text.replace(b'"housing"', b'{"a":' * 100000)),
    ("empty", b""),
]:
    call(step, "overlapCheck", None, raw=raw)
call("media type", "overlapCheck", check, content_type="text/plain")
call("charset", "overlapCheck", check, content_type="application/json; charset=euc-kr")

# Two requests under one key at a time: one is worked on, the other is told so.
other = {**grant, "programme": "child-allowance"}
replies = []
threads = [
    threading.Thread(
        target=lambda: replies.append(
            session.post(
                f"{url}/benefitGrant", json=other, headers={"Idempotency-Key": '"k-5"'}
            )
        )
    )
    for _ in range(2)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
steps.append({"step": "at once", "status": sorted(reply.status_code for reply in replies)})
print(json.dumps(steps, ensure_ascii=False))
