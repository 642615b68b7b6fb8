"""Judges messages by the schema of a WSDL, or documents by a schema alone, with lxml (libxml2).

Reads JSON: {"wsdl": text, "messages": [envelope, ...]}, or "xsd" and documents. Prints a JSON list: null
for a message whose body the schema accepts, and otherwise why not.
"""

import json
import pathlib
import sys
import tempfile

from lxml import etree

XS = "{http://www.w3.org/2001/XMLSchema}"
given = json.load(sys.stdin)


def schema_of(wsdl):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        schemas = {schema.get("targetNamespace"): schema for schema in wsdl.iter(XS + "schema")}
        files = {name: folder / f"{number}.xsd" for number, name in enumerate(schemas)}
        for name, schema in schemas.items():
            for imported in schema.iter(XS + "import"):
                imported.set("schemaLocation", str(files[imported.get("namespace")]))
            files[name].write_bytes(etree.tostring(schema))
        imports = "".join(
            f'<xs:import namespace="{name}" schemaLocation="{file}"/>' for name, file in files.items()
        )
        main = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
        return etree.XMLSchema(etree.fromstring(main))


if "xsd" in given:
    schema = etree.XMLSchema(etree.fromstring(given["xsd"].encode()))
else:
    schema = schema_of(etree.fromstring(given["wsdl"].encode()))


def verdict(message):
    try:
        envelope = etree.fromstring(message.encode())
    except etree.XMLSyntaxError as error:
        return str(error)
    if "xsd" in given:
        return None if schema.validate(envelope) else str(schema.error_log.last_error)
    body = [part for part in envelope if etree.QName(part).localname == "Body"][0]
    # Apart from the envelope, with the namespaces that are in scope there.
    element = etree.fromstring(etree.tostring(body[0]))
    if schema.validate(element):
        return None
    return str(schema.error_log.last_error)


json.dump([verdict(message) for message in given["messages"]], sys.stdout)
