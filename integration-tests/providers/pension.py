"""A pension register made with spyne, which writes its WSDL by itself: types of two namespaces,
records in records, lists, attributes, codes, decimals, faults that are declared and that are not.
`/soap11` and `/soap12` speak one version each, `/xml` the same documents without envelopes. It
prints its port and serves until killed. `pension.py FOLDER` writes its schemas there instead.
"""

import datetime
import decimal
import logging
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from lxml import etree
from spyne import (
    Application,
    Array,
    Boolean,
    ComplexModel,
    Date,
    DateTime,
    Decimal,
    Enum,
    Fault,
    Integer32,
    ServiceBase,
    Unicode,
    XmlAttribute,
    rpc,
)
from spyne.interface.xml_schema import XmlSchema
from spyne.protocol.soap import Soap11, Soap12
from spyne.protocol.xml import XmlDocument
from spyne.util.wsgi_wrapper import WsgiMounter

PENSIONS = "urn:example:pensions"
COMMON = "urn:example:common"

Status = Enum("PAID", "SUSPENDED", "ENDED", type_name="Status")
ResidentNumber = Unicode(13, min_len=13, pattern="[0-9]{13}", type_name="ResidentNumber")
Amount = Decimal(total_digits=12, fraction_digits=2, type_name="Amount")


class Address(ComplexModel):
    __namespace__ = COMMON
    city = Unicode(max_len=40, min_len=1, min_occurs=1, nillable=False)
    street = Unicode(max_len=80)


class Child(ComplexModel):
    __namespace__ = COMMON
    name = Unicode(max_len=40, min_len=1, min_occurs=1, nillable=False)
    share = Amount


class Pensioner(ComplexModel):
    __namespace__ = PENSIONS
    version = XmlAttribute(Integer32)
    name = Unicode(max_len=40, min_len=1, min_occurs=1, nillable=False)
    status = Status.customize(min_occurs=1, nillable=False)
    balance = Amount
    since = Date
    checked = DateTime
    alive = Boolean
    address = Address
    children = Array(Child)
    months = Integer32(max_occurs="unbounded")


class NoPensioner(Fault):
    __namespace__ = PENSIONS

    def __init__(self):
        says = "there is no pensioner of this number"
        detail = {"NoPensioner": {"reason": "unknown"}}
        super().__init__("Client.NoPensioner", says, detail=detail)


def hong():
    return Pensioner(
        version=7,
        name="홍길동",
        status="PAID",
        balance=decimal.Decimal("-1234567.89"),
        since=datetime.date(1999, 12, 31),
        checked=datetime.datetime(2026, 11, 22, 10, 0, 0, tzinfo=datetime.timezone.utc),
        alive=True,
        address=Address(city="서울", street="세종대로 <110> & 1"),
        children=[Child(name="김철수", share=decimal.Decimal("50.25")), Child(name="LEE")],
        months=[1, 2, 12],
    )


class Register(ServiceBase):
    @rpc(ResidentNumber(min_occurs=1, nillable=False), _returns=Pensioner, _throws=NoPensioner)
    def find_pensioner(ctx, resident_number):
        if resident_number == "9001011234567":
            return hong()
        if resident_number == "0000000000000":
            raise RuntimeError("the register has broken down")
        raise NoPensioner()

    @rpc(Pensioner.customize(min_occurs=1, nillable=False), _returns=Unicode(max_len=200))
    def describe(ctx, pensioner):
        """What came, in words, so that a caller can compare it."""
        one = pensioner
        address = one.address and "%s/%s" % (one.address.city, one.address.street)
        children = ";".join("%s=%s" % (each.name, each.share) for each in one.children or [])
        return "|".join(
            str(each)
            for each in (
                one.version, one.name, one.status, one.balance, one.since,
                one.checked and one.checked.astimezone(datetime.timezone.utc).isoformat(),
                one.alive, address, children, one.months,
            )
        )


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


logging.disable(logging.CRITICAL)


def application(protocol):
    strict = protocol(validator="lxml")
    return Application([Register], PENSIONS, in_protocol=strict, out_protocol=protocol())


APPLICATIONS = {"soap11": application(Soap11), "soap12": application(Soap12)}
APPLICATIONS["xml"] = application(XmlDocument)

if len(sys.argv) > 1:
    schema = XmlSchema(APPLICATIONS["xml"].interface)
    schema.build_schema_nodes(with_schema_location=True)
    for prefix, root in schema.schema_dict.items():
        etree.ElementTree(root).write("%s/%s.xsd" % (sys.argv[1], prefix))
    sys.exit()

SERVER = make_server("127.0.0.1", 0, WsgiMounter(APPLICATIONS), handler_class=Quiet)
print(SERVER.server_port, flush=True)
SERVER.serve_forever()
