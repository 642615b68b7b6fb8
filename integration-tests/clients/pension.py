"""Calls the pension register with zeep by a WSDL, at an address that need not be the WSDL's own.

Usage: pension.py API_KEY WSDL ADDRESS
Prints JSON: the answers as zeep types them, and the faults.
"""

import datetime
import decimal
import json
import sys

import requests
import zeep
from zeep.helpers import serialize_object
from zeep.transports import Transport

key, wsdl, address = sys.argv[1:]
session = requests.Session()
session.trust_env = False
session.headers["x-api-key"] = key
client = zeep.Client(wsdl, transport=Transport(session=session))
(binding,) = client.wsdl.bindings
service = client.create_service(binding, address)


def typed(value):
    """A value with its type, so that a text is not taken for a number."""
    if isinstance(value, dict):
        return {name: typed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [typed(each) for each in value]
    if isinstance(value, datetime.datetime):
        value = value.astimezone(datetime.timezone.utc)
    return value if value is None else [type(value).__name__, str(value)]


def call(operation, argument):
    try:
        answer = service[operation](argument)
    except zeep.exceptions.Fault as error:
        detail = error.detail
        detail = [] if detail is None else [
            child.text or child.tag.rsplit("}")[-1] for child in detail.iter() if child is not detail
        ]
        return {"fault": error.code, "detail": detail}
    except zeep.exceptions.TransportError as error:
        # Over SOAP 1.2 spyne cannot write what it says of a request outside its schema.
        return {"fault": f"HTTP {error.status_code}", "detail": []}
    answer = serialize_object(answer, dict)
    if isinstance(answer, dict) and "body" in answer:
        answer = answer["body"]
    return {"answer": typed(answer)}


common = client.type_factory("urn:example:common")
pensions = client.type_factory("urn:example:pensions")
full = pensions.Pensioner(
    version=-3,
    name="김<영>희 & Co.",
    status="SUSPENDED",
    balance=decimal.Decimal("0.50"),
    since=datetime.date(2024, 2, 29),
    checked=datetime.datetime(2026, 1, 2, 3, 4, 5, 250000, tzinfo=datetime.timezone.utc),
    alive=False,
    address=common.Address(city="부산"),
    children=common.ChildArray([
        common.Child(name="a", share=decimal.Decimal("99.99")), common.Child(name="b"),
    ]),
    months=[3, 1, 2],
)
print(json.dumps({
    "found": call("find_pensioner", "9001011234567"),
    "missing": call("find_pensioner", "1111111111111"),
    "broken": call("find_pensioner", "0000000000000"),
    "invalid": call("find_pensioner", "90010112345678"),
    "full": call("describe", full),
    "least": call("describe", pensions.Pensioner(name="x", status="ENDED")),
    "unknown": call("describe", pensions.Pensioner(name="x", status="LOST")),
}))
