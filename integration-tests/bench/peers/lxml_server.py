"""Python's `lxml` behind `aiohttp`: what one writes in Python when speed matters."""

import sys
from datetime import UTC, datetime

from aiohttp import ClientSession, TCPConnector, web
from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WELFARE = "urn:kr:go:mohw:welfare:v1"
PROGRAMMES = {
    "basic-living": "BLS",
    "housing-benefit": "HSG",
    "youth-rent": "YRN",
    "rent-support": "RSP",
    "child-allowance": "CHD",
    "home-care": "HMC",
}
GROUPS = {"LIV": "livelihood", "HOU": "housing", "CHI": "child"}
COLUMNS = {
    "benefitId": "benefit",
    "providerId": "provider",
    "startDate": "from",
    "endDate": "to",
    "monthlyAmount": "monthlyAmount",
    "status": "status",
}
ANSWERED = ("requestReceiveTime", "responseSendTime", "responseReceiveTime")
PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


def add(parent, name, text=None):
    """An element of the service's namespace."""
    element = etree.SubElement(parent, f"{{{WELFARE}}}{name}")
    element.text = text
    return element


def completed(header, into):
    """The request's header, completed."""
    now = datetime.now(UTC).isoformat()
    values = {etree.QName(field).localname: field.text for field in header}
    values |= dict.fromkeys(ANSWERED, now) | {"resultCode": "0000", "resultMessage": "OK"}
    for name, text in values.items():
        add(into, name, text)


def answer(request, found):
    """The reply to an envelope, of what the backend has."""
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "wlf": WELFARE})
    header = add(etree.SubElement(envelope, f"{{{SOAP}}}Header"), "header")
    completed(request.find(f"{{{SOAP}}}Header/{{{WELFARE}}}header"), header)
    reply = add(etree.SubElement(envelope, f"{{{SOAP}}}Body"), "historyResponse")
    add(reply, "count", str(found["count"]))
    for benefit in found["benefits"]:
        one = add(reply, "benefit")
        add(one, "programmeCode", PROGRAMMES[benefit["programme"]])
        for name, column in COLUMNS.items():
            add(one, name, str(benefit[column]))
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


async def history(request):
    """SOAP in, one JSON call, SOAP out."""
    envelope = etree.fromstring(await request.read(), PARSER)
    asked = envelope.find(f"{{{SOAP}}}Body/{{{WELFARE}}}history")
    person = asked.findtext(f"{{{WELFARE}}}residentNumber")
    group = GROUPS[asked.findtext(f"{{{WELFARE}}}groupCode")]
    call = request.app["backend"].post("/records", json={"person": person, "group": group})
    async with call as found:
        body = answer(envelope, await found.json())
    return web.Response(body=body, content_type="text/xml", charset="utf-8")


async def session(app):
    """One pool of connections to the backend."""
    connector = TCPConnector(limit=64)
    async with ClientSession(sys.argv[2], connector=connector) as app["backend"]:
        yield


if __name__ == "__main__":
    server = web.Application()
    server.cleanup_ctx.append(session)
    server.router.add_post("/soap/welfare", history)
    web.run_app(server, host="127.0.0.1", port=int(sys.argv[1]), print=None)
