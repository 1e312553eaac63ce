// Engine.IO: the server pings every 300 ms and gives the client 200 ms to answer (shared/reference.md 14, 15).
// Lower bounds are exact, because a client can only see things later than they happened; upper bounds are only patience.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { PollingSession, WebSocketSession, separator } from "../support/engine_session.mjs";
import { RawWebSocket, frame, opcodes } from "../support/raw.mjs";
import { start_example } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

const ping_interval_ms = 300;
const ping_timeout_ms = 200;
const timer_slack_ms = 20; // timers of 1 ms resolution on both sides, and the request that was sent before its clock was read

let server;
let witness;
before(async () => {
  server = await start_example("engine-echo");
  witness = await WebSocketSession.open(server);
});
afterEach(() => witness.echoes()); // all this time it has answered its pings, so it is there
after(async () => {
  witness?.close();
  await server?.stop();
});

function assert_at_least(elapsed_ms, expected_ms, what) {
  assert.ok(elapsed_ms >= expected_ms - timer_slack_ms, `${what} came after ${elapsed_ms} ms, not ${expected_ms}`);
}

describe("ping", () => {
  it("comes one interval after the handshake, and again after each pong, over WebSocket", async () => {
    let since = performance.now();
    const session = await WebSocketSession.open(server, { heartbeat: false });
    for (let i = 0; i < 3; ++i) {
      assert.equal(await session.next(), "2");
      assert_at_least(performance.now() - since, ping_interval_ms, `ping ${i}`);
      since = performance.now();
      session.send("3");
    }
    session.close();
  });

  it("comes one interval after the handshake over polling", async () => {
    const since = performance.now();
    const session = await PollingSession.open(server, { heartbeat: false });
    assert.equal((await session.get()).body, "2");
    assert_at_least(performance.now() - since, ping_interval_ms, "ping");
    await session.post("3");
    const again = performance.now();
    assert.equal((await session.get()).body, "2");
    assert_at_least(performance.now() - again, ping_interval_ms - timer_slack_ms, "second ping");
  });

  it("is put off by a pong that nobody asked for", async () => {
    const session = await WebSocketSession.open(server, { heartbeat: false });
    const opened_at = performance.now();
    let last_pong_at;
    // Pongs at less than the interval keep pings away for as long as they come, here for three intervals.
    while (performance.now() - opened_at < 3 * ping_interval_ms) {
      last_pong_at = performance.now();
      session.send("3");
      const next = await session.queue.next(100).catch(() => undefined);
      if (next === "2") assert_at_least(performance.now() - last_pong_at, 0, "ping"); // this machine was busy for long
    }
    assert.equal(await session.next(), "2");
    assert_at_least(performance.now() - last_pong_at, ping_interval_ms, "ping");
    session.close();
  });
});

describe("silence", () => {
  const full_ms = ping_interval_ms + ping_timeout_ms;

  it("ends a WebSocket with an empty close frame and no Engine.IO close packet", async () => {
    const since = performance.now();
    const session = await WebSocketSession.open(server, { heartbeat: false });
    assert.equal(await session.next(), "2");
    assert.equal((await session.until_closed()).code, 1005);
    assert_at_least(performance.now() - since, full_ms, "the end");
    assert.deepEqual(session.queue.items, []);
  });

  it("gives a pending GET a close packet", async () => {
    const session = await PollingSession.open(server, { heartbeat: false });
    assert.equal((await session.get()).body, "2");
    const answer = await session.get();
    assert.equal(answer.body.split(separator).at(-1), "1");
    assert.ok(await session.is_gone());
  });

  it("ends a polling session whose client went away", async () => {
    const since = performance.now();
    const session = await PollingSession.open(server, { heartbeat: false });
    // A POST does not count as a pong; what it carries here is a noop.
    await eventually("end of the session", async () => (await session.post("6")).status === 400);
    assert_at_least(performance.now() - since, full_ms, "the end");
  });

  it("is not broken by messages", async () => {
    const session = await WebSocketSession.open(server, { heartbeat: false });
    await eventually("end of the session", () => {
      if (session.ws.readyState === session.ws.OPEN) session.send("4I am busy");
      return session.queue.ended;
    });
    assert.equal((await session.until_closed()).code, 1005);
  });

  it("is not broken by WebSocket pongs", async () => {
    const raw = await RawWebSocket.open(server, { heartbeat: false });
    await eventually("the server's close frame", () => {
      raw.send(frame(opcodes.pong, "alive"));
      return raw.frames.items.some(({ opcode }) => opcode === opcodes.close) || raw.frames.ended;
    });
    assert.equal(await raw.close_code(), 1005);
    raw.close();
  });
});
