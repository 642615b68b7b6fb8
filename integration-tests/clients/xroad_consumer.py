"""A consumer of X-Road over REST that knows nothing but X-Road's own documents.

Usage: xroad_consumer.py URL API_KEY RESIDENT_NUMBER NAME
The request hash is computed with hashlib over the bytes sent. Prints one JSON object.
"""

import base64
import hashlib
import json
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

import requests

url, api_key, resident, name = sys.argv[1:]
session = requests.Session()
session.trust_env = False
SERVICE = "KR/GOV/NARU/welfare"
CLIENT = "KR/MUN/CITYA/welfare"
FILTERED = {"host", "user-agent", "connection", "content-length", "x-api-key"}
result = {}


def expected_hash(prepared, request_id):
    head = f"{prepared.method}\r\n{prepared.path_url}\r\n"
    headers = {key.lower(): value for key, value in prepared.headers.items()}
    for key in sorted(headers.keys() - FILTERED):
        head += f"{key}:{headers[key]}\r\n"
    head += f"x-road-request-id:{request_id}\r\n"
    digest = hashlib.sha512(head.encode())
    if prepared.body:
        both = digest.digest() + hashlib.sha512(prepared.body).digest()
        digest = hashlib.sha512(both)
    return base64.b64encode(digest.digest()).decode()


def call(step, method, path, client=CLIENT, **options):
    headers = {"X-API-Key": api_key, **options.pop("headers", {})}
    if client:
        headers["X-Road-Client"] = client
    request = requests.Request(method, f"{url}/r1/{path}", headers=headers, **options)
    prepared = session.prepare_request(request)
    # What urllib makes of a path is not what the consumer sent.
    if options.get("params") is None:
        prepared.url = f"{url}/r1/{path}"
    reply = session.send(prepared)
    headers = reply.headers
    result[step] = {
        "status": reply.status_code,
        "error": headers.get("X-Road-Error"),
        "media": headers["Content-Type"],
        "headers": {
            key: headers.get(key)
            for key in ["X-Road-Client", "X-Road-Service", "X-Road-Id", "X-Road-Request-Id"]
        },
        "receipt": "Naru-Receipt" in headers,
        "hash": headers.get("X-Road-Request-Hash")
        == expected_hash(prepared, headers.get("X-Road-Request-Id")),
        "body": reply.json() if "json" in headers["Content-Type"] else reply.text,
    }
    return reply


check = {
    "residentNumber": resident,
    "group": "housing",
    "from": "2026-01-01",
    "to": "2026-12-31",
}
grant = {
    "residentNumber": resident,
    "name": name,
    "programme": "youth-rent",
    "from": "2026-01-01",
    "to": "2026-12-31",
    "monthlyAmount": 200000,
}
ID = {"X-Road-Id": "f92591a3-6bf0-49b1-987b-0dd78c034cc3", "X-Road-UserId": "KR9001011234567"}
call("get", "GET", f"{SERVICE}/overlaps", params=check)
call("grant", "POST", f"{SERVICE}/benefits", json=grant, headers=ID)
call("grant again", "POST", f"{SERVICE}/benefits", json=grant, headers=ID)
call("post", "POST", f"{SERVICE}/overlaps", json=check)
benefit = result["grant"]["body"]["benefit"]
ended = {"end": "2026-06-30", "reason": "moved"}
call("end", "PUT", f"{SERVICE}/benefits/{benefit}/end", json=ended)
encoded = "/".join(urllib.parse.quote(part, safe="") for part in SERVICE.split("/"))
call("encoded", "POST", f"{encoded.replace('NARU', '%4EARU')}/overlaps", json=check)
call("no client", "GET", f"{SERVICE}/overlaps", client=None)
call("other client", "GET", f"{SERVICE}/overlaps", client="KR/GOV/MOHW/haengbok", params=check)
call("unknown client", "GET", f"{SERVICE}/overlaps", client="KR/GOV/OTHER/x")
call("unknown service", "GET", f"{SERVICE}/nothing")
call("method", "DELETE", f"{SERVICE}/overlaps")
call("xml error", "GET", f"{SERVICE}/nothing", headers={"Accept": "text/xml"})
for step in ["benefits/../overlaps", "benefits/%2e%2e/overlaps", "benefits/%2e%2e%2foverlaps",
             "%2e%2e/welfare/overlaps", "/overlaps", "benefits%2Fapplications"]:
    call(f"path {step}", "GET", f"{SERVICE}/{step}")
call("listMethods", "GET", f"{SERVICE}/listMethods")
call("allowedMethods", "GET", f"{SERVICE}/allowedMethods")
call("getOpenAPI", "GET", f"{SERVICE}/getOpenAPI?serviceCode=overlaps")

clients = session.get(f"{url}/listClients")
space = {"xrd": "http://x-road.eu/xsd/xroad.xsd", "id": "http://x-road.eu/xsd/identifiers"}
tree = ElementTree.fromstring(clients.content)
result["listClients"] = {
    "root": tree.tag,
    "subsystems": [e.text for e in tree.findall("xrd:member/xrd:id/id:subsystemCode", space)],
}
accept = {"Accept": "application/json"}
result["listClientsJson"] = session.get(f"{url}/listClients", headers=accept).json()
print(json.dumps(result, ensure_ascii=False))
