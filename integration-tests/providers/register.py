"""The resident register behind X-Road (SOAP, with lxml, and REST), as a JSON service and as plain
XML, and a benefit register over SOAP. It prints its port and serves until killed. Written from the
protocols' descriptions, sharing nothing with the gateway.
"""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
XROAD = "http://x-road.eu/xsd/xroad.xsd"
IDENTIFIERS = "http://x-road.eu/xsd/identifiers"
PRODUCER = "http://resident.mois.example/producer"
PLAIN = "urn:kr:go:mois:resident:xml:v1"
BENEFITS = "urn:kr:go:mohw:benefits:v1"
PEOPLE = {"9001011234567": ("홍길동", "서울특별시 중구 세종대로 110")}
LOCK = threading.Lock()
MOVES = {}
LOST = set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        found = re.fullmatch(r"/r1/KR/GOV/1741001/resident/records/v1/residents/([^/]+)", self.path)
        if found is None:
            return self.say(404, "application/json", b'{"type":"Client.NotFound"}')
        if not self.headers.get("x-road-client") or not self.headers.get("x-road-id"):
            return self.json(400, {"type": "Client.MissingHeader", "message": "", "detail": ""})
        return self.record(unquote(found.group(1)))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if self.path == "/xroad":
            return self.xroad(body)
        if self.path == "/benefits":
            return self.benefits(body)
        if self.path == "/plain/realname":
            return self.plain(body)
        asked = json.loads(body)
        if self.path.startswith("/r1/") and not self.headers.get("x-road-client"):
            return self.json(400, {"type": "Client.MissingHeader", "message": "", "detail": ""})
        if self.path in ("/realname/checks", "/r1/KR/GOV/1741001/resident/realname/v1/checks"):
            return self.real_name(asked)
        if self.path == "/residents/search":
            return self.record(asked["residentNumber"])
        if self.path == "/moves":
            return self.move(asked)
        if self.path == "/overlaps":
            return self.json(200, {"overlapping": True, "grantedBy": "mohw"})
        return self.say(404, "text/html", b"<h1>Not Found</h1>")

    def real_name(self, asked):
        person = PEOPLE.get(asked["residentNumber"])
        if person is None:
            return self.problem(404, "no-such-resident")
        return self.json(200, {"matches": person[0] == asked["name"]})

    def record(self, number):
        person = PEOPLE.get(number)
        if person is None:
            return self.problem(404, "no-such-resident")
        name, address = person
        record = {"name": name, "address": address, "since": "2020-03-02", "status": "registered"}
        return self.json(200, record)

    def move(self, asked):
        key = asked["requestId"]
        with LOCK:
            first = key not in MOVES
            if first:
                MOVES[key] = f"J-{len(MOVES) + 1}"
            # The answer to the first attempt is lost; what is done is done.
            lost = first and asked["address"] == "유실"
        if lost:
            self.close_connection = True
            return None
        return self.json(200, {"receipt": MOVES[key], "movedOn": asked["movedOn"]})

    def xroad(self, body):
        envelope = etree.fromstring(body)
        header, content = envelope.find(f"{{{SOAP}}}Header"), envelope.find(f"{{{SOAP}}}Body")[0]
        names = [etree.QName(one).localname for one in header]
        service = header.find(f"{{{XROAD}}}service")
        code = service.findtext(f"{{{IDENTIFIERS}}}serviceCode")
        kind = service.get(f"{{{IDENTIFIERS}}}objectType")
        if names != ["client", "service", "id", "userId", "protocolVersion"] or kind != "SERVICE":
            return self.fault("Client.InvalidHeader")
        if etree.QName(content) != etree.QName(PRODUCER, code):
            return self.fault("Server.ServerProxy.ServiceFailed.InvalidSoap")
        number = content.findtext(f"{{{PRODUCER}}}residentNumber")
        if number not in PEOPLE:
            return self.fault("Server", "NoSuchResident")
        matches = PEOPLE[number][0] == content.findtext(f"{{{PRODUCER}}}name")
        answer = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP, "p": PRODUCER})
        # All headers are copied back in the same order, and the request hash is added.
        header.append(etree.Element(f"{{{XROAD}}}requestHash", algorithmId="SHA-512"))
        answer.append(header)
        wrapper = etree.SubElement(answer, f"{{{SOAP}}}Body")
        wrapper = etree.SubElement(wrapper, f"{{{PRODUCER}}}{code}Response")
        etree.SubElement(wrapper, f"{{{PRODUCER}}}matches").text = "1" if matches else "0"
        return self.xml(200, answer)

    def fault(self, code, detail=None):
        answer = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP})
        body = etree.SubElement(answer, f"{{{SOAP}}}Body")
        fault = etree.SubElement(body, f"{{{SOAP}}}Fault")
        etree.SubElement(fault, "faultcode").text = f"s:{code}"
        etree.SubElement(fault, "faultstring").text = "거절"
        if detail:
            etree.SubElement(etree.SubElement(fault, "detail"), f"{{{PRODUCER}}}{detail}")
        return self.xml(500, answer)

    def benefits(self, body):
        """rpc/literal over SOAP 1.2."""
        envelope = etree.fromstring(body)
        call = envelope.find(f"{{{SOAP12}}}Body")[0]
        assert etree.QName(call) == etree.QName(BENEFITS, "findOverlap")
        answer = etree.Element(f"{{{SOAP12}}}Envelope", nsmap={"e": SOAP12, "b": BENEFITS})
        wrapper = etree.SubElement(answer, f"{{{SOAP12}}}Body")
        wrapper = etree.SubElement(wrapper, f"{{{BENEFITS}}}findOverlapResponse")
        found = call.findtext("residentNumber") in PEOPLE
        etree.SubElement(wrapper, "overlapping").text = "true" if found else "false"
        if found:
            etree.SubElement(wrapper, "grantedBy").text = "mohw"
        return self.xml(200, answer, "application/soap+xml")

    def plain(self, body):
        asked = etree.fromstring(body)
        person = PEOPLE.get(asked.findtext(f"{{{PLAIN}}}residentNumber"))
        answer = etree.Element(f"{{{PLAIN}}}realNameResponse", nsmap={None: PLAIN})
        etree.SubElement(answer, f"{{{PLAIN}}}resultCode").text = "00" if person else "03"
        if person:
            matches = person[0] == asked.findtext(f"{{{PLAIN}}}name")
            etree.SubElement(answer, f"{{{PLAIN}}}matches").text = "Y" if matches else "N"
        return self.xml(200, answer, "application/xml")

    def problem(self, status, code):
        problem = {"type": f"https://register.example/{code}", "code": code, "status": status}
        self.say(status, "application/problem+json", json.dumps(problem).encode())

    def json(self, status, value):
        self.say(status, "application/json", json.dumps(value, ensure_ascii=False).encode())

    def xml(self, status, document, media_type="text/xml"):
        text = etree.tostring(document, xml_declaration=True, encoding="UTF-8", pretty_print=True)
        self.say(status, media_type, text)

    def say(self, status, media_type, body):
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
