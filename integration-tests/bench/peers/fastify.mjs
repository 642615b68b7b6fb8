// `fastify` with `fast-xml-parser`: what one writes by hand when speed matters.
import Fastify from "fastify";
import { XMLBuilder, XMLParser } from "fast-xml-parser";
import { completed, history, port } from "./backend.mjs";

const parser = new XMLParser({ ignoreAttributes: true, removeNSPrefix: true, parseTagValue: false });
const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: "@" });

/** The object's members as elements of the service's namespace. */
function qualified(value) {
  if (Array.isArray(value)) return value.map(qualified);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [`wlf:${name}`, qualified(inner)]),
  );
}

const app = Fastify();
app.addContentTypeParser("text/xml", { parseAs: "string" }, (_request, text, done) =>
  done(null, parser.parse(text)),
);
app.post("/soap/welfare", async (request, reply) => {
  const { Header, Body } = request.body.Envelope;
  const answer = await history(Body.history);
  reply.type("text/xml; charset=utf-8");
  return builder.build({
    "soap:Envelope": {
      "@xmlns:soap": "http://schemas.xmlsoap.org/soap/envelope/",
      "@xmlns:wlf": "urn:kr:go:mohw:welfare:v1",
      "soap:Header": qualified({ header: completed(Header.header) }),
      "soap:Body": qualified({ historyResponse: answer }),
    },
  });
});
await app.listen({ port: Number(port), host: "127.0.0.1" });
