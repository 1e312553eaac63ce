// How long a notification that is not lost takes from its producer to its user: POST /v1/notifications at one node, users with
// unmodified clients at another, so many notifications per second to users chosen by chance.
//
//   node benchmarks/inbox_latency.mjs [--store sqlite|redis] [--users 500] [--rate 500] [--seconds 20] [--bytes 128]
//
// sqlite: the store belongs to one node, so that producer and users are at the same one, with two shards. redis: two nodes on
// a Redis of its own that writes each command to its disk before it answers (appendfsync always). Times count from the moment
// at which a notification was due to be sent, so that a stall counts for all who wait behind it. Every client must have got
// everything, in order and once, else the exit status is 1.
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { io } from "socket.io-client";
import { call, until_ready } from "../tests/support/api.mjs";
import { RedisServer } from "../tests/support/redis.mjs";
import { start_carillon, temporary_folder } from "../tests/support/servers.mjs";
import { eventually } from "../tests/support/wait.mjs";

const { values } = parseArgs({
  options: {
    store: { type: "string", default: "sqlite" },
    users: { type: "string", default: "500" },
    rate: { type: "string", default: "500" },
    seconds: { type: "string", default: "20" },
    bytes: { type: "string", default: "128" },
  },
});
const [users, rate, seconds] = [values.users, values.rate, values.seconds].map(Number);
const warm_up = rate * 2; // notifications that are not counted
const text = "x".repeat(Number(values.bytes));

async function start() {
  if (values.store === "sqlite") {
    const node = await start_carillon(["--shards", "2"]);
    return { producers: node, clients: node, stop: () => node.stop() };
  }
  const redis = await RedisServer.start(["--appendonly", "yes", "--appendfsync", "always", "--dir", temporary_folder()]);
  const nodes = await Promise.all([0, 1].map((i) => start_carillon(["--redis", redis.url, "--node-name", `node-${i}`, "--shards", "1"])));
  for (const node of nodes) await until_ready(node);
  const stop = async () => { await Promise.all(nodes.map((node) => node.stop())); await redis.stop(); };
  return { producers: nodes[0], clients: nodes[1], stop };
}

const due = [];      // when notification n was to be sent
const accepted = []; // the milliseconds until its 202
const received = []; // and until its client had it
const faults = [];

async function connect(url, user) {
  const socket = io(url, { transports: ["websocket"], forceNew: true, auth: { userId: user } });
  let last = 0;
  socket.on("notification", ({ n }, { position }) => {
    const number = Number(position.split("-")[1]);
    if (number !== last + 1) faults.push(`${user}: ${number} after ${last}`);
    last = number;
    received[n] = performance.now() - due[n];
  });
  await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}

const agent = new Agent({ keepAlive: true });
async function notify(node, n) {
  const user = `user-${Math.floor(Math.random() * users)}`;
  const answer = await call(node, "/v1/notifications", { agent, body: { to: { users: [user] }, data: { n, text } } });
  accepted[n] = performance.now() - due[n];
  if (answer.status !== 202) faults.push(`${answer.status} ${answer.body}`);
}

const percentile = (list, p) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * p))];
const show = (list) => `p50 ${percentile(list, 0.5).toFixed(1)} ms, p99 ${percentile(list, 0.99).toFixed(1)} ms`;

const nodes = await start();
const sockets = await Promise.all(Array.from({ length: users }, (_, i) => connect(nodes.clients.clients, `user-${i}`)));
const total = warm_up + rate * seconds;
const since = performance.now();
const sent = [];
while (sent.length < total) {
  const reached = Math.min(total, 1 + Math.floor((performance.now() - since) * rate / 1000));  // the first is due at once
  for (let n = sent.length; n < reached; ++n) {
    due[n] = since + n * 1000 / rate;
    sent.push(notify(nodes.producers, n));
  }
  await sleep(1);
}
await Promise.all(sent);
await eventually("everything to arrive", () => Object.keys(received).length === total);
console.log(`${values.store}: ${users} users, ${rate} notifications per second for ${seconds} s, ${text.length} bytes: ` +
  `${total - warm_up - faults.length} received, ${faults.length} lost, repeated or out of order`);
console.log(`  until accepted (202)      ${show(accepted.slice(warm_up))}`);
console.log(`  until received by client  ${show(received.slice(warm_up))}`);
for (const fault of faults.slice(0, 10)) console.log(fault);
for (const socket of sockets) socket.disconnect();
agent.destroy();
await nodes.stop();
process.exitCode = faults.length ? 1 : 0;
