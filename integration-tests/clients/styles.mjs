// Calls the operation `overlapCheck` of each WSDL by every port that it has, with the npm package `soap`.
// Usage: styles.mjs API_KEY RESIDENT_NUMBER WSDL...
// Prints JSON: by WSDL and port, the answer and the fault that a request outside the schema gets.

import soap from "soap";

const [key, residentNumber, ...wsdls] = process.argv.slice(2);
const headers = { "x-api-key": key };
const question = { residentNumber, groupCode: "housing", startDate: "2026-01-01", endDate: "2026-12-31" };

const ask = (client, service, port, changed) =>
  new Promise((resolve) => {
    client[service][port].overlapCheck({ ...question, ...changed }, (error, answer) => {
      const fault = error?.root?.Envelope?.Body?.Fault;
      resolve(error ? { fault: fault ?? String(error) } : answer);
    }, {}, headers);
  });

const results = {};
for (const wsdl of wsdls) {
  const name = new URL(wsdl).pathname.split("/").at(-1);
  const groupCode = name.startsWith("welfare") ? "HOU" : "housing";
  const [[service, ports]] = Object.entries((await soap.createClientAsync(wsdl)).describe());
  results[name] = {};
  for (const port of Object.keys(ports)) {
    // The version of SOAP is an option of this client, not something it reads from the port.
    const forceSoap12Headers = port.endsWith("12") || name === "welfare12";
    const client = await soap.createClientAsync(wsdl, { forceSoap12Headers });
    results[name][port] = {
      answer: await ask(client, service, port, { groupCode }),
      refusal: await ask(client, service, port, { groupCode, residentNumber: "nobody" }),
    };
  }
}
process.stdout.write(JSON.stringify(results));
