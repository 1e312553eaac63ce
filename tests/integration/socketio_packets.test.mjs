// Socket.IO packets by hand: events, acknowledgements, attachments, and what is malformed (shared/reference.md 30-34).
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Witness } from "../support/clients.mjs";
import { WebSocketSession } from "../support/engine_session.mjs";
import { skip_on_reference, start_example } from "../support/servers.mjs";

let server;
let witness;
before(async () => {
  server = await start_example("protocol");
  witness = await Witness.of(server.url);
});
afterEach(() => witness.is_served());
after(async () => {
  witness?.close();
  await server?.stop();
});

async function connected() {
  const session = await WebSocketSession.open(server, { path: "/socket.io/" });
  session.send("40");
  await session.queue.take(2);
  return session;
}

async function still_works(session) {
  session.send('42["message","?"]');
  assert.equal(await session.next(), '42["message-back","?"]');
  session.close();
}

describe("events", () => {
  const values = [
    "1", "-0.5", "1e300", "9007199254740991", "true", "null", '""', '"€ 𝄞 \\u0000 \\" \\\\"', "[]", "{}", '{"a":[{"b":null}]}',
    '{"_placeholder":true,"num":0}', '[{"_placeholder":true,"num":7}]',
  ];
  for (const value of values) {
    it(`brings ${value} back`, async () => {
      const session = await connected();
      session.send(`42["message",${value}]`);
      const answer = await session.next();
      assert.ok(answer.startsWith('42["message-back",'), answer);
      assert.deepEqual(JSON.parse(answer.slice(2)), ["message-back", JSON.parse(value)]);
      session.close();
    });
  }

  it("without arguments and with several", async () => {
    const session = await connected();
    session.send('42["message"]');
    assert.equal(await session.next(), '42["message-back"]');
    session.send('42["message",1,"2",{"three":3}]');
    assert.equal(await session.next(), '42["message-back",1,"2",{"three":3}]');
    session.close();
  });

  for (const packet of ['42["unknown",1]', '42["auth",1]', "42[1,2]", '427["unknown"]', "42", "427", "431"]) {
    it(`${packet} is ignored`, async () => {
      const session = await connected();
      session.send(packet);
      await still_works(session);
    });
  }

  const refused = [
    '42{"a":1}', '42"message"', "42null", "42[]", "42[null]", "42[{}]", '42[["message"]]', '42["message"', '42["message"]]', "42[message]",
    '42["connect"]', '42["connect_error"]', '42["disconnect"]', '42["disconnecting"]', '42["newListener"]', '42["removeListener"]',
    "4", "47", "4x", "49[]", '42/custom["message"]',
  ];
  for (const packet of refused) {
    it(`${packet} closes the connection`, async () => {
      const session = await connected();
      session.send(packet);
      await session.until_closed();
      assert.deepEqual(session.queue.items, []);
    });
  }

  for (const depth of [100, 1000]) {
    it(`JSON ${depth} levels deep works`, async () => {
      const session = await connected();
      const deep = "[".repeat(depth) + "]".repeat(depth);
      session.send(`42["message",${deep}]`);
      assert.equal(await session.next(), `42["message-back",${deep}]`);
      session.close();
    });
  }

  // From about 10,000 levels on the reference crashes.
  it("JSON 10,000 levels deep is answered or refused", { skip: skip_on_reference }, async () => {
    const session = await connected();
    const deep = "[".repeat(10_000) + "]".repeat(10_000);
    session.send(`42["message",${deep}]`);
    const outcome = await session.next().catch(() => "refused");
    if (outcome === "refused") await session.until_closed();
    else assert.equal(outcome, `42["message-back",${deep}]`);
    session.close();
  });

  for (const deep of ["[".repeat(400_000), '{"a":'.repeat(100_000), "[".repeat(400_000) + "]".repeat(400_000)]) {
    it(`JSON much too deep (${deep.length} bytes of ${deep.slice(0, 5)}) is refused`, { skip: skip_on_reference }, async () => {
      const session = await connected();
      session.send(`42["message",${deep}]`);
      await session.until_closed();
    });
  }
});

describe("acknowledgements", () => {
  for (const id of ["0", "1", "42", "4294967296", "9007199254740991"]) {
    it(`id ${id} comes back exactly`, async () => {
      const session = await connected();
      session.send(`42${id}["message-with-ack",1,{"a":2}]`);
      assert.equal(await session.next(), `43${id}[1,{"a":2}]`);
      session.close();
    });
  }

  it("without arguments", async () => {
    const session = await connected();
    session.send('420["message-with-ack"]');
    assert.equal(await session.next(), "430[]");
    session.close();
  });

  for (const packet of ["43999[1]", "430[]"]) {
    it(`${packet}, which nobody asked for, is ignored`, async () => {
      const session = await connected();
      session.send(packet);
      await still_works(session);
    });
  }

  for (const packet of ['431{"a":1}', '431"x"', "431null", "431[", '42-1["message"]', '42+1["message"]', '421.5["message"]', '421e3["message"]']) {
    it(`${packet} closes the connection`, async () => {
      const session = await connected();
      session.send(packet);
      await session.until_closed();
    });
  }
});

describe("attachments", () => {
  const placeholder = (num) => ({ _placeholder: true, num });

  it("of an event come back", async () => {
    const session = await connected();
    session.send('452-["message",{"_placeholder":true,"num":0},{"deep":[{"_placeholder":true,"num":1}]}]');
    session.send(Buffer.from([1, 2]));
    session.send(Buffer.from([]));
    const header = await session.next();
    assert.ok(header.startsWith("452-["), header);
    assert.deepEqual(JSON.parse(header.slice(4)), ["message-back", placeholder(0), { deep: [placeholder(1)] }]);
    assert.deepEqual(await session.queue.take(2), [Buffer.from([1, 2]), Buffer.from([])]);
    await still_works(session);
  });

  it("of an acknowledged event come back in a binary acknowledgement", async () => {
    const session = await connected();
    session.send('451-7["message-with-ack",{"_placeholder":true,"num":0}]');
    session.send(Buffer.from("abc"));
    assert.equal(await session.next(), '461-7[{"_placeholder":true,"num":0}]');
    assert.deepEqual(await session.next(), Buffer.from("abc"));
    session.close();
  });

  it("may stand in another order than their numbers", async () => {
    const session = await connected();
    session.send('452-["message",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]');
    session.send(Buffer.from("zero"));
    session.send(Buffer.from("one"));
    await session.next();
    assert.deepEqual(await session.queue.take(2), [Buffer.from("one"), Buffer.from("zero")]);
    session.close();
  });

  it("used twice are sent back as two", async () => {
    const session = await connected();
    session.send('451-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]');
    session.send(Buffer.from("twice"));
    assert.ok((await session.next()).startsWith("452-"));
    assert.deepEqual(await session.queue.take(2), [Buffer.from("twice"), Buffer.from("twice")]);
    session.close();
  });

  it("are allowed ten at a time", async () => {
    const session = await connected();
    session.send(`4510-${JSON.stringify(["message", ...Array.from({ length: 10 }, (_, i) => placeholder(i))])}`);
    for (let i = 0; i < 10; ++i) session.send(Buffer.of(i));
    assert.ok((await session.next()).startsWith("4510-"));
    for (let i = 0; i < 10; ++i) assert.deepEqual(await session.next(), Buffer.of(i));
    session.close();
  });

  const one = '451-["message",{"_placeholder":true,"num":0}]';
  const refused = [
    ["eleven attachments", `4511-["message"]`],
    ["a count with 13 digits", `459999999999999-["message"]`],
    ["no count", '45["message"]'], ["a count without a dash", '451["message"]'], ["an empty count", '45-["message"]'],
    ["a negative count", '45-1-["message"]'], ["a count that is no number", '45x-["message"]'],
    ["text before the last attachment", one, '42["message"]'],
    ["binary without a header", Buffer.from("x")],
    ["one attachment too many", one, Buffer.from("x"), Buffer.from("y")],
    ["a placeholder number out of range", '451-["message",{"_placeholder":true,"num":1}]', Buffer.from("x")],
    ["a negative placeholder number", '451-["message",{"_placeholder":true,"num":-1}]', Buffer.from("x")],
    ["a placeholder number that is no number", '451-["message",{"_placeholder":true,"num":"0"}]', Buffer.from("x")],
  ];
  for (const [name, ...packets] of refused) {
    it(`${name}: the connection is closed`, async () => {
      const session = await connected();
      for (const packet of packets) session.send(packet);
      await session.until_closed();
    });
  }

  it("that never come leave everybody else alone, and nothing is delivered", async () => {
    const session = await connected();
    session.send('453-1["message-with-ack",{"_placeholder":true,"num":0}]');
    session.send(Buffer.from("only one of three"));
    for (let i = 0; i < 20; ++i) await witness.is_served();
    assert.deepEqual(session.queue.items, []);
    session.close();
  });
});
