// Engine.IO: from polling to WebSocket while traffic flows (shared/reference.md 21-24).
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { PollingSession, WebSocketSession, engine_url, http, with_hanging_get } from "../support/engine_session.mjs";
import { start_example } from "../support/servers.mjs";

let server;
let witness;
before(async () => {
  server = await start_example("engine-echo");
  witness = await WebSocketSession.open(server);
});
afterEach(() => witness.echoes());
after(async () => {
  witness?.close();
  await server?.stop();
});

// The WebSocket beside the session's polling. No heartbeat of its own: until the upgrade, pings go to the polling transport.
async function second_transport(session, options) {
  const socket = new WebSocketSession(server, { query: `EIO=4&transport=websocket&sid=${session.sid}`, ...options });
  await socket.opened;
  return socket;
}

async function probe(socket) {
  socket.send("2probe");
  assert.equal(await socket.next(), "3probe");
}

async function upgrade(session) {
  const socket = await second_transport(session);
  await probe(socket);
  socket.send("5");
  return socket;
}

describe("upgrade", () => {
  it("probes without an open packet, then carries everything", async () => {
    const session = await PollingSession.open(server);
    const socket = await upgrade(session);
    await socket.echoes();
    await socket.echoes("4again");
    socket.close();
  });

  it("gives a pending GET a noop after the probe", () => with_hanging_get(server, async (session, get) => {
    const socket = await second_transport(session);
    await probe(socket);
    assert.equal((await get.answer).body, "6");
    socket.close();
  }));

  it("gives a new GET after the probe a noop too", () => with_hanging_get(server, async (session, get) => {
    const socket = await second_transport(session);
    await probe(socket);
    assert.equal((await get.answer).body, "6");
    // At once or at the server's next turn, in time before the ping that would otherwise answer it.
    const again = await session.get();
    assert.equal(again.body, "6");
    socket.send("5");
    await socket.echoes();
    socket.close();
  }));

  it("gives a GET during the upgrade the messages that wait, if there are any", async () => {
    const session = await PollingSession.open(server);
    const socket = await second_transport(session);
    await probe(socket);
    await session.post("4during");
    assert.equal(await next_message(session), "4during");
    socket.send("5");
    await socket.echoes();
    socket.close();
  });

  it("answers a GET that still hangs when the upgrade is done, and the session lives on", async () => {
    const session = await PollingSession.open(server);
    const socket = await second_transport(session);
    await probe(socket);
    const get = session.get();
    socket.send("5");
    // A close packet to a GET that was there, code 3 to one that came too late, a noop to one that was there early.
    const { status, body } = await get;
    assert.ok(status === 200 ? /^[16]$/.test(body) : status === 400 && JSON.parse(body).code === 3, `${status} ${body}`);
    await socket.echoes();
    socket.close();
  });

  it("keeps order: what waits goes out over WebSocket before what comes later", async () => {
    const session = await PollingSession.open(server);
    const socket = await second_transport(session);
    await probe(socket);
    const posted = Array.from({ length: 20 }, (_, i) => `4posted ${i}`);
    for (const packet of posted) await session.post(packet); // echoed, and no GET takes the echoes
    socket.send("5");
    const sent = Array.from({ length: 20 }, (_, i) => `4sent ${i}`);
    for (const packet of sent) socket.send(packet);
    assert.deepEqual(await socket.queue.take(40), [...posted, ...sent]);
    socket.close();
  });

  it("keeps the session alive by pings over WebSocket", async () => {
    const session = await PollingSession.open(server);
    const socket = await second_transport(session, { heartbeat: false });
    await probe(socket);
    socket.send("5");
    for (let i = 0; i < 3; ++i) {
      assert.equal(await socket.next(), "2");
      socket.send("3");
    }
    socket.close();
  });
});

// Noops are what the server answers a GET with to get it out of the way.
async function next_message(session) {
  for (;;) {
    const packet = await session.next();
    if (packet !== "6") return packet;
  }
}

describe("an upgrade that does not happen", () => {
  // The reference upgrades; the protocol wants a probe first.
  it("5 without a probe upgrades or closes the new socket", async () => {
    const session = await PollingSession.open(server);
    const socket = await second_transport(session);
    socket.send("5");
    const upgraded = socket.echoes();
    if (!await Promise.race([upgraded.then(() => true, () => false), socket.closed.then(() => false)])) await session.echoes();
    socket.close();
  });

  for (const packet of ["2", "2prob", "2probe ", "3probe", "4x", "x", ""]) {
    it(`${JSON.stringify(packet)} instead of the probe closes the new socket; a second attempt works`, async () => {
      const session = await PollingSession.open(server);
      const socket = await second_transport(session);
      socket.send(packet);
      await socket.until_closed();
      await session.echoes();
      const second = await upgrade(session);
      await second.echoes();
      second.close();
    });
  }

  it("anything but 5 behind the probe closes the new socket; polling goes on", async () => {
    const session = await PollingSession.open(server);
    const socket = await second_transport(session);
    await probe(socket);
    socket.send("4x");
    await socket.until_closed();
    await session.post("4still here");
    assert.equal(await next_message(session), "4still here");
  });

  it("a new socket that goes away leaves the session to polling", async () => {
    const session = await PollingSession.open(server);
    const socket = await second_transport(session);
    await probe(socket);
    socket.close();
    await session.post("4still here");
    assert.equal(await next_message(session), "4still here");
  });
});

describe("an attempt that is never finished", () => {
  it("closes after 10 s; polling went on all the time", async () => {
    const session = await PollingSession.open(server);
    const socket = await second_transport(session);
    const since = performance.now();
    const polled = session.next();
    await socket.until_closed();
    const elapsed_ms = performance.now() - since;
    assert.ok(elapsed_ms > 9_900, `closed after ${elapsed_ms} ms`);
    await session.post("4still here");
    assert.equal(await polled, "4still here");
  });
});

describe("too many transports", () => {
  it("a second WebSocket during the upgrade is refused, the first goes on", async () => {
    const session = await PollingSession.open(server);
    const first = await second_transport(session);
    await probe(first);
    const second = await second_transport(session);
    await second.until_closed();
    first.send("5");
    await first.echoes();
    first.close();
  });

  it("a second WebSocket after the upgrade is refused, the first goes on", async () => {
    const session = await PollingSession.open(server);
    const first = await upgrade(session);
    await first.echoes();
    const second = await second_transport(session);
    await second.until_closed();
    await first.echoes();
    first.close();
  });

  it("a second WebSocket for a session that began with one leaves the first alone", async () => {
    const first = await WebSocketSession.open(server);
    const second = await second_transport(first);
    if (second.ws.readyState === second.ws.OPEN) second.send("4x");
    await second.until_closed();
    await first.echoes();
    first.close();
  });

  for (const method of ["GET", "POST"]) {
    it(`${method} after the upgrade: 400, code 3, and the session lives on`, async () => {
      const session = await PollingSession.open(server);
      const socket = await upgrade(session);
      await socket.echoes();
      const url = engine_url(server, `EIO=4&transport=polling&sid=${session.sid}`);
      const answer = await http(url, { method, body: method === "POST" ? "4x" : undefined });
      assert.equal(answer.status, 400);
      assert.deepEqual(JSON.parse(answer.body), { code: 3, message: "Bad request" });
      await socket.echoes();
      socket.close();
    });
  }
});
