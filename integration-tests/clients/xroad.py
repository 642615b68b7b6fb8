"""An information system on X-Road, played by zeep: its headers, a service and the metaservices.

Usage: xroad.py API_KEY RESIDENT_NUMBER WSDL ADDRESS
Sends everything to ADDRESS, as to a security server. Prints JSON.
"""

import datetime
import email
import json
import sys

import requests
import zeep
from lxml import etree
from zeep.helpers import serialize_object
from zeep.transports import Transport

key, resident, wsdl, address = sys.argv[1:]
session = requests.Session()
session.trust_env = False
session.headers["x-api-key"] = key
client = zeep.Client(wsdl, transport=Transport(session=session))
(service,) = client.wsdl.services.values()
(port,) = service.ports.values()
binding = str(port.binding.name)
proxy = client.create_service(binding, address)
member = {"xRoadInstance": "KR", "memberClass": "COM", "memberCode": "PORTAL"}
provider = {"xRoadInstance": "KR", "memberClass": "GOV", "memberCode": "NARU"}


def headers(code, **changed):
    return {
        "client": {"objectType": "SUBSYSTEM", **member, "subsystemCode": "portal"},
        "service": {
            "objectType": "SERVICE",
            **provider,
            "subsystemCode": "welfare",
            "serviceCode": code,
            "serviceVersion": "v1",
        },
        "id": "4894e35d-bf0f-44a6-867a-8e51f1daa7e0",
        "userId": "KR9001011234567",
        "issue": "12345",
        "protocolVersion": "4.0",
        **changed,
    }


def ask(**changed):
    try:
        reply = proxy.overlapCheck(
            residentNumber=resident,
            groupCode="HOU",
            startDate=datetime.date(2026, 1, 1),
            endDate=datetime.date(2026, 12, 31),
            _soapheaders=headers("overlapCheck", **changed),
        )
        return serialize_object(reply, dict)
    except zeep.exceptions.Fault as error:
        return {"fault": error.code, "message": error.message}


XRD = "{http://x-road.eu/xsd/xroad.xsd}"
ID = "{http://x-road.eu/xsd/identifiers}"


def meta(code, content=""):
    """A metaservice, whose WSDL is X-Road's own."""
    message = client.create_message(
        proxy,
        "overlapCheck",
        residentNumber=resident,
        groupCode="HOU",
        startDate=datetime.date(2026, 1, 1),
        endDate=datetime.date(2026, 12, 31),
        _soapheaders=headers(code),
    )
    body = message[-1]
    body.clear()
    body.append(etree.fromstring(f'<x:{code} xmlns:x="{XRD[1:-1]}">{content}</x:{code}>'))
    data = etree.tostring(message)
    return session.post(address, data=data, headers={"content-type": "text/xml; charset=utf-8"})


def codes(reply):
    return [code.text for code in etree.fromstring(reply.content).iter(ID + "serviceCode")][1:]


got = meta("getWsdl", "<x:serviceCode>overlapCheck</x:serviceCode><x:serviceVersion>v1</x:serviceVersion>")
parts = email.message_from_bytes(
    b"Content-Type: " + got.headers["content-type"].encode() + b"\r\n\r\n" + got.content
).get_payload()
attached = etree.fromstring(parts[1].get_payload(decode=True))
first = session.post(address, data=b"", headers={"content-type": "text/xml"})
json.dump(
    {
        "answer": ask(),
        "version": ask(protocolVersion="3.1"),
        "stranger": ask(client={"objectType": "MEMBER", **member}),
        "listMethods": codes(meta("listMethods")),
        "allowedMethods": codes(meta("allowedMethods")),
        "wsdl": [operation.get("name") for operation in attached.iter("{http://schemas.xmlsoap.org/wsdl/}operation")],
        "location": [address.get("location") for address in attached.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")],
        "empty": etree.fromstring(first.content).findtext(".//faultcode"),
    },
    sys.stdout,
    default=str,
    ensure_ascii=False,
)
