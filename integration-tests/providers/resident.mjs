// The resident register as an eGovFrame SOAP service, by the npm package `soap`: its WSDL decides
// what is parsed and what is written. It prints its port and serves until killed.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { listen } from "soap";

const NAMESPACE = "urn:kr:go:mois:resident:v1";
const NAMES = { 9001011234567: "홍길동", 8505052345678: "김영희" };
const reports = new Map();
let losing = false;

const known = (number) => {
  if (!(number in NAMES)) {
    throw {
      Fault: {
        faultcode: "soap:Client",
        faultstring: "no such resident",
        detail: { NoSuchResident: "" },
        statusCode: 500,
      },
    };
  }
  return NAMES[number];
};

let answers = 0;

// The package asks for the header before it calls the operation.
const result = ({ newAddress, reportKey }) => {
  if (newAddress === "거절") return "0002";
  return newAddress === undefined && reportKey !== undefined && !reports.has(reportKey)
    ? "1005"
    : "0000";
};

const service = {
  Resident: {
    ResidentPort: {
      checkRealName: ({ residentRegistrationNumber, name }) => {
        return { isRealName: known(residentRegistrationNumber) === name };
      },
      reportMove: ({ reportKey, residentRegistrationNumber, newAddress }) => {
        known(residentRegistrationNumber);
        if (newAddress === "거절") return {};
        answers += 1;
        reports.set(reportKey, `R-${answers}`);
        losing = newAddress === "유실";
        return { receiptNumber: reports.get(reportKey) };
      },
      getReport: ({ reportKey }) => ({ receiptNumber: reports.get(reportKey) }),
    },
  },
};

const wsdl = readFileSync(new URL("resident.wsdl", import.meta.url), "utf8");
const server = createServer((request, response) => {
  if (request.url === "/count") return response.end(String(answers));
  return response.writeHead(404).end();
});
server.listen(0, "127.0.0.1", () => {
  const soap = listen(server, "/services/resident", service, wsdl);
  // Takes the report and breaks the connection instead of answering.
  server.prependListener("request", (_request, response) => {
    const end = response.end.bind(response);
    response.end = (...rest) => {
      if (!losing) return end(...rest);
      losing = false;
      return response.socket.destroy();
    };
  });
  const header = (_method, body, headers) => ({
    header: {
      ...Object.fromEntries(
        Object.entries(headers?.header ?? {}).map(([name, value]) => [
          name,
          value instanceof Date ? value.toISOString() : value,
        ]),
      ),
      resultCode: result(body),
      resultMessage: result(body) === "0000" ? "OK" : "no",
    },
  });
  soap.addSoapHeader(header, "", "r", NAMESPACE);
  console.log(server.address().port);
});
