"""The ministry's system, played by zeep: reads the served WSDL, calls by mutual TLS.

Usage: ministry.py WSDL CERTIFICATE KEY AUTHORITY RESIDENT_NUMBER NAME
Prints one JSON object per step: the eGovFrame header's result, the receipt, the reply fields.
"""

import datetime
import json
import sys

import requests
import zeep
from zeep.helpers import serialize_object
from zeep.transports import Transport

wsdl, certificate, key, authority, resident, name = sys.argv[1:]
session = requests.Session()
session.trust_env = False
session.cert = (certificate, key)
session.verify = authority
client = zeep.Client(wsdl, transport=Transport(session=session))
NAMESPACE = "urn:kr:go:mohw:welfare:v1"
Header = client.get_element(f"{{{NAMESPACE}}}header")


def call(operation, **fields):
    header = Header(
        integrationId="INT00001",
        providerOrganizationId="NARU0001",
        providerSystemId="NARUSYS1",
        providerServiceId=operation,
        consumerOrganizationId="MOHW0001",
        consumerSystemId="MOHWSYS1",
        requestSendTime=datetime.datetime(2026, 3, 2, 9, 0, tzinfo=datetime.timezone.utc),
    )
    reply = serialize_object(client.service[operation](**fields, _soapheaders=[header]), dict)
    header = reply.get("header") or {}
    body = reply.get("body") or {}
    if isinstance(header.get("header"), dict):
        receipt, header = header.get("receipt"), header["header"]
    else:
        receipt = header.get("receipt")
    return {
        "operation": operation,
        "resultCode": header.get("resultCode"),
        "resultMessage": header.get("resultMessage"),
        "receipt": receipt,
        **(body if isinstance(body, dict) else {}),
    }


period = {"startDate": datetime.date(2026, 1, 1), "endDate": datetime.date(2026, 12, 31)}
person = {"residentNumber": resident}
benefit = {**person, "name": name, "programmeCode": "HSG", **period, "monthlyAmount": 310000}
check = {**person, "groupCode": "HOU", **period}

steps = [call("overlapCheck", **check)]
steps.append(call("benefitApply", requestNumber="Z-1", **benefit))
granted = call(
    "benefitGrant", requestNumber="Z-2", applicationId=steps[1]["applicationId"], **benefit
)
steps.append(granted)
steps.append(call("overlapCheck", **check))
steps.append(call("benefitGrant", requestNumber="Z-3", **benefit))
steps.append(call("history", **person, groupCode="HOU"))
steps.append(
    call(
        "benefitEnd",
        requestNumber="Z-4",
        benefitId=granted["benefitId"],
        endDate=datetime.date(2026, 6, 30),
        reason="moved",
    )
)
json.dump(steps, sys.stdout, default=str, ensure_ascii=False)
