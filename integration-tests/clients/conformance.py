"""One service, defined once, asked through every front by clients not written here.

Usage: conformance.py WORLD_FOLDER PROTO_FOLDER
Through each front it asks whether a person who has no benefit has one, whether a person who has one
has it, and for a grant that would overlap. Prints a JSON list: by front the three outcomes, in the
words of that front, and the receipts.
"""

import csv
import datetime
import importlib
import io
import json
import os
import pathlib
import socket
import sys
import tempfile
import time

import grpc
import requests
import zeep
from google.protobuf.json_format import MessageToDict, ParseDict
from grpc_tools import protoc
from lxml import etree
from zeep.helpers import serialize_object
from zeep.transports import Transport

world, protos = pathlib.Path(sys.argv[1]), sys.argv[2]
endpoints = json.loads((world / "endpoints.json").read_text())
people = [endpoints["residents"]["sample"], endpoints["residents"]["tour"][0]]
ministry = next(member for member in endpoints["members"] if member["id"] == "mohw")
certificate, key = world / ministry["certificate"], world / ministry["key"]
authority = world / endpoints["https"]["authority"]
https = endpoints["https"]["url"]
FROM, TO = datetime.date(2026, 1, 1), datetime.date(2026, 12, 31)

session = requests.Session()
session.trust_env = False
session.cert, session.verify = (str(certificate), str(key)), str(authority)


def outcome(overlapping, receipt, provider=None):
    return {"answer": bool(overlapping), "provider": provider, "receipt": receipt}


def refusal(said, receipt):
    return {"refusal": str(said), "receipt": receipt}


class Soap:
    """A WSDL that zeep reads. What stands in the header is its own affair."""

    client = "zeep"

    def __init__(self, path, headers=lambda client, operation, number: {}):
        self.zeep = zeep.Client(f"{https}{path}?wsdl", transport=Transport(session=session))
        self.history = zeep.plugins.HistoryPlugin()
        self.zeep.plugins.append(self.history)
        self.headers, self.number = headers, 0

    def call(self, operation, **fields):
        self.number += 1
        soap_headers = self.headers(self.zeep, operation, f"C-{self.number}")
        options = {"_soapheaders": soap_headers} if soap_headers else {}
        reply = self.zeep.service[operation](**fields, **options)
        reply = serialize_object(reply, dict)
        return reply.get("header") or {}, reply.get("body", reply)

    def receipt(self, envelope=None):
        envelope = self.history.last_received["envelope"] if envelope is None else envelope
        found = envelope.findtext(".//{urn:naru:evidence:v1}receipt")
        return found or self.history.last_received["http_headers"].get("Naru-Receipt")

    def check(self, person):
        _, reply = self.call(
            "overlapCheck",
            residentNumber=person["residentNumber"],
            groupCode="HOU",
            startDate=FROM,
            endDate=TO,
        )
        provider = (reply.get("providerId") or reply.get("provider") or "").strip()
        return outcome(reply["overlapping"], self.receipt(), provider or None)

    def grant(self, person, **numbered):
        try:
            header, _ = self.call(
                "benefitGrant",
                residentNumber=person["residentNumber"],
                name=person["name"],
                programmeCode="HSG",
                startDate=FROM,
                endDate=TO,
                monthlyAmount=310000,
                **numbered,
            )
        except zeep.exceptions.Fault as fault:
            said = [fault.code, *(str(code) for code in fault.subcodes or []), fault.message]
            return refusal(" ".join(map(str, said)), self.receipt())
        header = header.get("header") or header
        return refusal(f"{header['resultCode']} {header['resultMessage']}", self.receipt())


class Egov(Soap):
    def __init__(self):
        super().__init__("/soap/welfare", self.header)

    def header(self, client, operation, _number):
        element = client.get_element("{urn:kr:go:mohw:welfare:v1}header")
        return [
            element(
                integrationId="INT00001",
                providerOrganizationId="NARU0001",
                providerSystemId="NARUSYS1",
                providerServiceId=operation,
                consumerOrganizationId="MOHW0001",
                consumerSystemId="MOHWSYS1",
                requestSendTime=datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.timezone.utc),
            )
        ]

    def grant(self, person):
        return super().grant(person, requestNumber="conformance-egov")


class Soap12(Soap):
    def __init__(self):
        super().__init__("/soap/welfare12")

    def grant(self, person):
        return super().grant(person, requestNumber="conformance-soap12")


class XRoadSoap(Soap):
    def __init__(self):
        super().__init__("/soap/welfare-xroad", self.header)

    def header(self, _client, operation, number):
        member = {"xRoadInstance": "KR", "memberClass": "GOV"}
        return {
            "client": {
                "objectType": "SUBSYSTEM",
                **member,
                "memberCode": "MOHW",
                "subsystemCode": "haengbok",
            },
            "service": {
                "objectType": "SERVICE",
                **member,
                "memberCode": "NARU",
                "subsystemCode": "welfare",
                "serviceCode": operation,
                "serviceVersion": "v1",
            },
            "id": f"conformance-{number}",
            "protocolVersion": "4.0",
        }


class Json:
    """JSON over HTTP."""

    client = "requests"
    check_path, grant_path = "/v1/welfare/overlapCheck", "/v1/welfare/benefitGrant"
    headers = {"Idempotency-Key": '"conformance-rest"'}

    def check(self, person):
        reply = session.post(
            https + self.check_path,
            headers=self.headers,
            json={
                "residentNumber": person["residentNumber"],
                "group": "housing",
                "from": str(FROM),
                "to": str(TO),
            },
        )
        body = reply.json()
        return outcome(body["overlapping"], reply.headers["Naru-Receipt"], body.get("provider"))

    def grant(self, person):
        reply = session.post(
            https + self.grant_path,
            headers=self.headers,
            json={
                "residentNumber": person["residentNumber"],
                "name": person["name"],
                "programme": "housing-benefit",
                "from": str(FROM),
                "to": str(TO),
                "monthlyAmount": 310000,
            },
        )
        body = reply.json()
        return refusal(f"{reply.status_code} {body['code']}", reply.headers["Naru-Receipt"])


class XRoadRest(Json):
    check_path = "/r1/KR/GOV/NARU/welfare/overlaps"
    grant_path = "/r1/KR/GOV/NARU/welfare/benefits"
    headers = {"X-Road-Client": "KR/GOV/MOHW/haengbok"}


class OpenData:
    """Plain XML: what only asks by a query, the rest by a document in EUC-KR. The served schema judges
    every document, there and back."""

    client = "requests, lxml"

    def __init__(self):
        self.path = https + "/xml/welfare/"

    def document(self, operation, reply):
        given = session.get(self.path + operation + "?xsd").content
        schema = etree.XMLSchema(etree.fromstring(given))
        document = etree.fromstring(reply.content)
        schema.assertValid(document)
        return schema, document

    def check(self, person):
        reply = session.get(
            self.path + "overlapCheck",
            params={
                "residentNumber": person["residentNumber"],
                "groupCode": "HOU",
                "startDate": f"{FROM:%Y%m%d}",
                "endDate": f"{TO:%Y%m%d}",
            },
        )
        _, document = self.document("overlapCheck", reply)
        assert document.findtext("header/resultCode") == "00", reply.text
        body = document.find("body")
        overlapping = body.findtext("overlapYn") == "Y"
        return outcome(overlapping, reply.headers["Naru-Receipt"], body.findtext("providerId"))

    def grant(self, person):
        fields = {
            "requestNumber": "conformance-open-data",
            "residentNumber": person["residentNumber"],
            "name": person["name"],
            "programmeCode": "HSG",
            "startDate": f"{FROM:%Y%m%d}",
            "endDate": f"{TO:%Y%m%d}",
            "monthlyAmount": "310000",
        }
        root = etree.Element("benefitGrant")
        for name, text in fields.items():
            etree.SubElement(root, name).text = text
        reply = session.post(
            self.path + "benefitGrant",
            data=etree.tostring(root, encoding="EUC-KR", xml_declaration=True),
            headers={"Content-Type": "application/xml"},
        )
        schema, document = self.document("benefitGrant", reply)
        schema.assertValid(root)
        assert document.getroottree().docinfo.encoding == "EUC-KR", reply.content
        said = [document.findtext("header/" + name) for name in ("resultCode", "resultMsg")]
        return refusal(" ".join(said), reply.headers["Naru-Receipt"])


class Grpc:
    client = "grpcio"

    def __init__(self):
        folder = tempfile.mkdtemp()
        known = os.path.join(os.path.dirname(protoc.__file__), "_proto")
        out = [f"--python_out={folder}", f"--grpc_python_out={folder}"]
        done = protoc.main(["", f"-I{protos}", f"-I{known}", *out, "naru/v1/gateway.proto"])
        assert done == 0
        sys.path.insert(0, folder)
        self.messages = importlib.import_module("naru.v1.gateway_pb2")
        credentials = grpc.ssl_channel_credentials(
            authority.read_bytes(), key.read_bytes(), certificate.read_bytes()
        )
        channel = grpc.secure_channel(endpoints["grpc"]["target"], credentials)
        stubs = importlib.import_module("naru.v1.gateway_pb2_grpc")
        self.stub = stubs.GatewayStub(channel)

    def ask(self, service, fields, **more):
        request = self.messages.ExchangeRequest(sector="welfare", service=service, **more)
        ParseDict(fields, request.message)
        return self.stub.Exchange(request, timeout=30)

    def check(self, person):
        fields = {"person": person["residentNumber"], "group": "housing"}
        reply = self.ask("overlapCheck", {**fields, "from": str(FROM), "to": str(TO)})
        body = MessageToDict(reply.message)
        return outcome(body["overlapping"], reply.receipt, body.get("provider"))

    def grant(self, person):
        fields = {
            "person": person["residentNumber"],
            "name": person["name"],
            "programme": "housing-benefit",
            "from": str(FROM),
            "to": str(TO),
            "monthlyAmount": 310000,
        }
        try:
            self.ask("benefitGrant", fields, idempotency_key="conformance-grpc")
        except grpc.RpcError as error:
            said = dict(error.trailing_metadata())
            return refusal(f"{error.code().name} {error.details()}", said["naru-receipt"])
        raise AssertionError("the grant was not refused")


class Telegram:
    client = "socket"

    def __init__(self):
        city = next(member for member in endpoints["members"] if member["id"] == "city-a")
        self.key = (world / city["apiKey"]).read_text().strip()
        self.serial = 7_000_000

    def send(self, code, body):
        self.serial += 1
        header = f"{code}0200CITYA001{self.key:<64}20260302090000{self.serial:010}0000{'':66}"
        telegram = (header + body).encode("euc-kr")
        address = endpoints["telegram"]
        with socket.create_connection((address["host"], address["port"]), timeout=30) as line:
            line.sendall(f"{len(telegram):04}".encode() + telegram)
            stream = line.makefile("rb")
            reply = stream.read(int(stream.read(4)))
        return reply, reply[-4096:].decode().strip()

    def check(self, person):
        body = f"{person['residentNumber'].replace('-', '')}2020260101" + "20261231"
        reply, receipt = self.send("WLF001", body)
        assert reply[106:110] == b"0000", reply[:176]
        return outcome(reply[176:177] == b"Y", receipt, reply[241:257].decode().strip() or None)

    def grant(self, person):
        name = person["name"].encode("euc-kr").ljust(20).decode("euc-kr")
        number = person["residentNumber"].replace("-", "")
        body = f"{number}{name}0220260101" + f"20261231{310000:012}{'':64}"
        reply, receipt = self.send("WLF003", body)
        said = reply[106:110].decode() + " " + reply[110:170].decode("euc-kr", "replace").strip()
        return refusal(said, receipt)


class Batch:
    client = "csv"

    def __init__(self):
        batch = endpoints["batch"]
        rows = [["H", "CITYB001", "conformance", "20260302"]]
        for number, (operation, person) in enumerate(
            [("C", people[0]), ("C", people[1]), ("G", people[1])], 1
        ):
            who = [person["residentNumber"], person["name"], "주거급여"]
            rows.append(["D", number, operation, *who, str(FROM), str(TO), 310000])
        rows.append(["T", 3, 930000])
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        folder = world / batch["folder"]
        (folder / "conformance.part").write_bytes(text.getvalue().encode("euc-kr"))
        (folder / "conformance.part").rename(folder / batch["file"].format(name="conformance"))
        result = folder / batch["result"].format(name="conformance")
        while not result.exists():
            time.sleep(0.05)
        lines = list(csv.reader(io.StringIO(result.read_text())))
        self.results = [line for line in lines if line[0] == "R"]

    def check(self, person):
        line = self.results[people.index(person)]
        assert line[2] == "0000", line
        return outcome(line[4] == "Y", line[5])

    def grant(self, _person):
        line = self.results[2]
        return refusal(f"{line[2]} {line[3]}", line[5])


FRONTS = {
    "eGovFrame SOAP 1.1": Egov,
    "plain SOAP 1.2": Soap12,
    "X-Road SOAP 4.0": XRoadSoap,
    "X-Road REST": XRoadRest,
    "REST/JSON": Json,
    "plain XML over HTTP": OpenData,
    "gRPC": Grpc,
    "telegram over TCP": Telegram,
    "batch file": Batch,
}

granted = session.post(
    f"{https}/v1/welfare/benefitGrant",
    headers={"Idempotency-Key": '"conformance-granted"'},
    json={
        "residentNumber": people[1]["residentNumber"],
        "name": people[1]["name"],
        "programme": "housing-benefit",
        "from": str(FROM),
        "to": str(TO),
        "monthlyAmount": 310000,
    },
)
granted.raise_for_status()

results = []
for name, front in FRONTS.items():
    front = front()
    free, taken = front.check(people[0]), front.check(people[1])
    refused = front.grant(people[1])
    results.append(
        {"front": name, "client": front.client, "free": free, "taken": taken, "refused": refused}
    )
json.dump(results, sys.stdout, ensure_ascii=False)
