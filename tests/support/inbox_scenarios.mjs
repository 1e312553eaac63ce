// What notifications must survive whatever kind of Redis holds them.
import assert from "node:assert/strict";
import { until_ready } from "./api.mjs";
import { connect, data_of, get, notify, take, until_delivered } from "./inbox.mjs";

// The node of a user's client is killed; the client goes on at another one with what it has not had.
export async function node_is_killed(nodes, start_node, user) {
  const doomed = await start_node();
  await until_ready(doomed);
  const client = await connect(doomed, user, { deviceId: "phone" });
  const id = await notify(nodes[0], user, 1);
  await take(client, 1);
  await until_delivered(nodes[0], id);
  await doomed.program.kill();
  await notify(nodes[0], user, 2);
  client.close();
  const again = await connect(nodes[1], user, { deviceId: "phone" });
  await notify(nodes[0], user, 3);
  assert.deepEqual(data_of(await take(again, 2)), [2, 3]);
  again.close();
}

// One device reads; the other, at another node, is told.
export async function one_device_reads(nodes, user) {
  const phone = await connect(nodes[0], user, { deviceId: "phone" });
  const desk = await connect(nodes[1], user, { deviceId: "desk" });
  await notify(nodes[0], user, 1);
  const [[, meta]] = await take(phone, 1);
  await take(desk, 1);
  assert.deepEqual(await phone.ask("inbox:read", { positions: [meta.position] }), [{ unread: 0 }]);
  const [event] = await desk.next("inbox:read");
  assert.equal(event.unread, 0);
  assert.equal((await get(nodes[1], `/v1/users/${user}/inbox`)).unread, 0);
  phone.close();
  desk.close();
}
