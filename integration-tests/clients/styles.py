"""Calls the operation `overlapCheck` of each WSDL by every port that it has, with zeep.

Usage: styles.py API_KEY RESIDENT_NUMBER WSDL...
Prints JSON: by WSDL and port, the answer and the fault that a request outside the schema gets.
"""

import datetime
import json
import sys

import requests
import zeep
from zeep.helpers import serialize_object
from zeep.transports import Transport

key, resident, *wsdls = sys.argv[1:]
session = requests.Session()
session.trust_env = False
session.headers["x-api-key"] = key

question = {
    "residentNumber": resident,
    "groupCode": "housing",
    "startDate": datetime.date(2026, 1, 1),
    "endDate": datetime.date(2026, 12, 31),
}


def plain(reply):
    reply = serialize_object(reply, dict)
    # With a header in the output zeep answers with both.
    return reply["body"] if isinstance(reply, dict) and "body" in reply else reply


def ask(port, **changed):
    try:
        return plain(port.overlapCheck(**{**question, **changed}))
    except zeep.exceptions.Fault as error:
        detail = [] if error.detail is None else [child.text for child in error.detail.iter()]
        subcodes = [str(subcode) for subcode in error.subcodes or []]
        return {"fault": error.code, "subcodes": subcodes, "detail": detail}


results = {}
for wsdl in wsdls:
    # Where a WSDL says the actions of WS-Addressing, zeep addresses its messages by itself.
    client = zeep.Client(wsdl, transport=Transport(session=session))
    (service,) = client.wsdl.services.values()
    codes = {} if "/welfare" not in wsdl else {"groupCode": "HOU"}
    name = wsdl.rsplit("/", 1)[1].split("?")[0]
    results[name] = {}
    for port in service.ports:
        bound = client.bind(service.name, port)
        results[name][port] = {
            "answer": ask(bound, **codes),
            "refusal": ask(bound, **{**codes, "residentNumber": "900101-12345678"}),
        }
json.dump(results, sys.stdout, default=str, ensure_ascii=False)
