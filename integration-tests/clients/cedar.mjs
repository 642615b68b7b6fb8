// Decides access requests with Cedar's own WebAssembly build, over whole policy sets.
//
//   cedar.mjs < question.json     { schema, policies: {id: text}, requests: [Cedar request with entities] }
//
// Prints one line of JSON: for each request { allowed, policies }.

import { readFileSync } from "node:fs";
import { isAuthorized } from "@cedar-policy/cedar-wasm/nodejs";

const { schema, policies, requests } = JSON.parse(readFileSync(0, "utf8"));

const decisions = requests.map(({ principal, action, resource, context, entities }) => {
  const answer = isAuthorized({
    principal,
    action,
    resource,
    context,
    entities,
    schema,
    validateRequest: true,
    policies: { staticPolicies: policies },
  });
  if (answer.type !== "success") throw new Error(JSON.stringify(answer.errors));
  const { decision, diagnostics } = answer.response;
  return { allowed: decision === "allow", policies: [...diagnostics.reason].sort() };
});

console.log(JSON.stringify(decisions));
