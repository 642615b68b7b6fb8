// The npm package `soap` as a server: the WSDL decides what is parsed and what is written.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { listen } from "soap";
import { completed, history, port } from "./backend.mjs";

const NAMESPACE = "urn:kr:go:mohw:welfare:v1";

const wsdl = readFileSync(new URL("welfare.wsdl", import.meta.url), "utf8");
const server = createServer((_request, response) => response.writeHead(404).end());
const service = { Welfare: { WelfarePort: { history: (body) => history(body) } } };

server.listen(Number(port), "127.0.0.1", () => {
  const soap = listen(server, "/soap/welfare", service, wsdl);
  const header = (_method, _body, { header }) => ({ header: completed(header) });
  soap.addSoapHeader(header, "", "wlf", NAMESPACE);
});
