// Several shards behind one port: a session's requests and its upgrade come on connections that the kernel gives to any
// shard, and a broadcast runs all the while. Nobody may fail, lose a message, get one twice or out of order.
//
// CARILLON_TEST_CLIENTS chooses another number.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { emit } from "../support/api.mjs";
import { Client } from "../support/clients.mjs";
import { PollingSession } from "../support/engine_session.mjs";
import { RawWebSocket, frame, opcodes } from "../support/raw.mjs";
import { start_carillon } from "../support/servers.mjs";
import { deadline, eventually, is_slow, patience_ms } from "../support/wait.mjs";

const client_count = Number(process.env.CARILLON_TEST_CLIENTS ?? (is_slow ? 60 : 1000));
const connecting_at_once = 20;

let node;
before(async () => { node = await start_carillon(["--shards", "4"]); });
after(() => node?.stop());

// Numbers from one publisher to everyone, as fast as the API answers, until told to stop.
function start_broadcast(options) {
  const state = { sent: 0, is_on: true };
  state.ended = (async () => {
    while (state.is_on) await emit(node, { event: "n", args: [state.sent++], ...options });
  })();
  state.ended.catch(() => { state.is_on = false; });
  state.stop = async () => {
    state.is_on = false;
    await state.ended;
  };
  return state;
}

function assert_contiguous(numbers, last, who) {
  for (let i = 1; i < numbers.length; ++i) {
    assert.equal(numbers[i], numbers[i - 1] + 1, `${who}: ${numbers[i]} came after ${numbers[i - 1]}, at place ${i} of ${numbers.length}`);
  }
  assert.equal(numbers.at(-1), last, `${who}: the last message`);
}

class Receiver {
  constructor(user) {
    this.numbers = [];
    this.client = new Client(node.clients, { mode: "upgrade", auth: { userId: user }, timeout: patience_ms });
    this.client.socket.on("n", (number) => this.numbers.push(number));
  }

  async upgraded() {
    await deadline(this.client.connected, patience_ms, "connect");
    await this.client.upgraded();
  }
}

describe(`4 shards, ${client_count} clients that poll first and upgrade`, () => {
  it("get a broadcast without gap, repeat or disorder, from the moment of their connection on", async () => {
    const broadcast = start_broadcast();
    const receivers = [];
    let next = 0;
    // Some connect while others upgrade and still others are done.
    await Promise.all(Array.from({ length: connecting_at_once }, async () => {
      while (next < client_count) {
        const receiver = new Receiver(`u${next++}`);
        receivers.push(receiver);
        await receiver.upgraded();
      }
    }));
    await broadcast.stop();
    const last = broadcast.sent - 1;
    await eventually(
      () => `number ${last} at every client; missing at ${receivers.filter(({ numbers }) => numbers.at(-1) !== last).length}`,
      () => receivers.every(({ numbers }) => numbers.at(-1) === last),
    );
    receivers.forEach(({ numbers, client }, i) => {
      assert.equal(client.transport, "websocket");
      assert.equal(client.ended, undefined);
      assert_contiguous(numbers, last, `client ${i}`);
    });
    for (const { client } of receivers) client.close();
  });

  it("get what is sent to their room while they upgrade, wherever they are", async () => {
    const broadcast = start_broadcast({ rooms: ["user:everywhere"] });
    const receivers = Array.from({ length: 20 }, () => new Receiver("everywhere")); // one user, on all shards
    await Promise.all(receivers.map((receiver) => receiver.upgraded()));
    await broadcast.stop();
    const last = broadcast.sent - 1;
    await eventually(`number ${last} at every client`, () => receivers.every(({ numbers }) => numbers.at(-1) === last));
    receivers.forEach(({ numbers }, i) => assert_contiguous(numbers, last, `client ${i}`));
    for (const { client } of receivers) client.close();
  });
});

// `carillon serve` recovers its clients: each event ends with the offset.
const without_offset = (packet) => packet.replace(/,"[0-9a-z]{10}(-[0-9a-z]+)?"\]$/, "]");

describe("4 shards, each request on a connection of its own", () => {
  const server = () => ({ url: node.clients });
  const open = () => PollingSession.open(server(), { path: "/socket.io/", agent: false });

  it("serve a polling session from any of them", async () => {
    for (let i = 0; i < 20; ++i) {
      const session = await open();
      await session.post(`40{"userId":"p${i}"}`);
      assert.match(await session.next(), /^40\{"sid":/);
      for (let n = 0; n < 5; ++n) {
        await emit(node, { rooms: [`user:p${i}`], event: "n", args: [n] });
        assert.equal(without_offset(await session.next()), `42["n",${n}]`);
      }
      assert.equal((await session.post("1")).status, 200);
      assert.ok(await session.is_gone());
    }
  });

  it("upgrade a session from any of them, with bytes sent right behind the handshake", async () => {
    for (let i = 0; i < 20; ++i) {
      const session = await open();
      await session.post(`40{"userId":"w${i}"}`);
      assert.match(await session.next(), /^40\{"sid":/);
      const { hostname: host, port } = new URL(node.clients);
      const path = `/socket.io/?EIO=4&transport=websocket&sid=${session.sid}`;
      const socket = await RawWebSocket.open({ host, port }, { path, behind: frame(opcodes.text, "2probe") });
      assert.equal(await socket.text(), "3probe");
      await emit(node, { rooms: [`user:w${i}`], event: "n", args: ["during"] });
      socket.send(frame(opcodes.text, "5"));
      assert.equal(without_offset(await socket.text()), '42["n","during"]');
      await emit(node, { rooms: [`user:w${i}`], event: "n", args: ["after"] });
      assert.equal(without_offset(await socket.text()), '42["n","after"]');
      socket.close();
    }
  });

  it("refuse a session id that no shard knows", async () => {
    const session = await open();
    // The same node and shard, another session: only the random part differs.
    const stranger = Object.assign(Object.create(Object.getPrototypeOf(session)), session);
    const flipped = session.sid.slice(0, -3) + [...session.sid.slice(-3)].map((c) => (c === "A" ? "B" : "A")).join("");
    stranger.url = session.url.replace(session.sid, flipped);
    const answer = await stranger.get();
    assert.equal(answer.status, 400);
    assert.deepEqual(JSON.parse(answer.body), { code: 1, message: "Session ID unknown" });
  });
});
