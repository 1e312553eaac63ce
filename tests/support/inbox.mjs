// Notifications, from the producer to what a client has got of them. `where` is a node.
import assert from "node:assert/strict";
import { call } from "./api.mjs";
import { Client } from "./clients.mjs";
import { eventually } from "./wait.mjs";

// `to`: a user, several, or { room }.
export function notify_answer(where, to, data, more = {}) {
  const recipients = typeof to === "string" || Array.isArray(to) ? { users: [to].flat() } : to;
  return call(where, "/v1/notifications", { body: { to: recipients, data, ...more } });
}
// { id, recipients }
export async function notified(where, to, data, more) {
  const answer = await notify_answer(where, to, data, more);
  assert.equal(answer.status, 202, answer.body);
  return JSON.parse(answer.body);
}
export const notify = async (where, to, data, more) => (await notified(where, to, data, more)).id;
export async function get(where, path) {
  const answer = await call(where, path, { method: "GET" });
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body);
}

export const connect = (where, user, auth = {}) => Client.connect(where.clients, { auth: { userId: user, ...auth } });

// The next `count` notifications: [data, meta].
export async function take(client, count, event = "notification") {
  const got = [];
  while (got.length < count) got.push(await client.next(event));
  return got;
}
export const data_of = (items) => items.map(([data]) => data);
export const inbox_of = async (where, user) => (await get(where, `/v1/users/${user}/inbox`)).items.map(({ data }) => data);
// Of the first recipient.
export const state_of = async (where, id) => (await get(where, `/v1/notifications/${id}`)).recipients[0].state;
export const until_state = (where, id, state) => eventually(`${id} ${state}`, async () => await state_of(where, id) === state);
export const until_delivered = (where, id) => until_state(where, id, "delivered");
export const numbers_to = (last, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
