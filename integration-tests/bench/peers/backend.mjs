// What both SOAP peers share: the call of the JSON backend and the content of the reply. No
// policy, no consent, no quota, no log.
import { Pool } from "undici";

const PROGRAMMES = {
  "basic-living": "BLS",
  "housing-benefit": "HSG",
  "youth-rent": "YRN",
  "rent-support": "RSP",
  "child-allowance": "CHD",
  "home-care": "HMC",
};
const GROUPS = { LIV: "livelihood", HOU: "housing", CHI: "child" };

const [port, backend] = process.argv.slice(2);
const pool = new Pool(backend, { connections: 64, pipelining: 1 });

export { port };

/** The reply's body for the request's body. */
export async function history({ residentNumber, groupCode }) {
  const { body } = await pool.request({
    method: "POST",
    path: "/records",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ person: residentNumber, group: GROUPS[groupCode] }),
  });
  const { count, benefits } = await body.json();
  return {
    count,
    benefit: benefits.map((benefit) => ({
      benefitId: benefit.benefit,
      programmeCode: PROGRAMMES[benefit.programme],
      providerId: benefit.provider,
      startDate: benefit.from,
      endDate: benefit.to,
      monthlyAmount: benefit.monthlyAmount,
      status: benefit.status,
    })),
  };
}

/** The reply's header: the request's, completed. */
export function completed(header) {
  const now = new Date().toISOString();
  return {
    integrationId: header.integrationId,
    providerOrganizationId: header.providerOrganizationId,
    providerSystemId: header.providerSystemId,
    providerServiceId: header.providerServiceId,
    consumerOrganizationId: header.consumerOrganizationId,
    consumerSystemId: header.consumerSystemId,
    requestSendTime: header.requestSendTime,
    requestReceiveTime: now,
    responseSendTime: now,
    responseReceiveTime: now,
    resultCode: "0000",
    resultMessage: "OK",
  };
}
