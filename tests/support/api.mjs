// The HTTP API of `carillon serve`.
import assert from "node:assert/strict";
import { http } from "./engine_session.mjs";
import { eventually } from "./wait.mjs";

// `body` is sent as JSON, or as it stands if it is text already.
export async function call(node, path, { method = "POST", headers = {}, body, ...options } = {}) {
  const text = body === undefined || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const all = text === undefined ? headers : { "content-type": "application/json", "content-length": Buffer.byteLength(text), ...headers };
  // A header that is undefined is left out.
  const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return http(`${node.api}${path}`, { method, headers: sent, body: text, ...options });
}

export async function emit(node, body, options) {
  const answer = await call(node, "/v1/emit", { body, ...options });
  assert.equal(answer.status, 202, answer.body);
}

// An error as the API words all of them: { status, code, message }.
export async function refusal(answer) {
  const { status, headers, body } = await answer;
  assert.match(headers["content-type"] ?? "", /^application\/json/, `${status} ${body}`);
  const { error, ...rest } = JSON.parse(body);
  assert.deepEqual(rest, {});
  assert.match(error.code, /^[a-z_]+$/);
  assert.match(error.message, /\w/);
  return { status, ...error };
}

export const readiness = async (node) => (await call(node, "/readyz", { method: "GET" })).status;

export function until_ready(node, status = 200) {
  let last;
  return eventually(() => `/readyz of ${node.node} ${status}, last ${last}`, async () => {
    last = await readiness(node);
    return last === status;
  });
}
