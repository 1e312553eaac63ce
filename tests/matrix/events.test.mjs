// What clients and server say to each other.
import assert from "node:assert/strict";
import { bytes } from "../support/clients.mjs";
import { matrix } from "../support/matrix.mjs";
import { deadline, patience_ms } from "../support/wait.mjs";

matrix("Events", {}, (feature) => {
  feature("events, both ways", async (scene) => {
    const client = await scene.connect();
    for (const args of [[], [1], ["zwei € 𝄞 \u0000", { drei: [null, true, 4.5, -0.25] }, []], [""]]) {
      client.emit("echo", ...args);
      assert.deepEqual(await client.next("echo"), args);
    }
  });

  feature("events keep their order, also across the upgrade", async (scene) => {
    const client = await scene.connect();
    const numbers = Array.from({ length: 300 }, (_, i) => i);
    for (const i of numbers) {
      client.emit("echo", i);
      if (i % 100 === 99) await client.ask("echo");
    }
    assert.deepEqual((await client.queue("echo").take(300)).flat(), numbers);
  });

  feature("large events", async (scene) => {
    const client = await scene.connect();
    const large = "€".repeat(300_000);
    client.emit("echo", large);
    assert.equal((await client.next("echo"))[0], large);
  });

  feature("binary, both ways", async (scene) => {
    const client = await scene.connect();
    const first = Buffer.from([0, 1, 2, 0xfe, 0xff]);
    const second = Buffer.alloc(100_000, "zwei");
    client.emit("echo", first, { deep: [second, Buffer.alloc(0)] }, "text");
    const [one, { deep }, text] = await client.next("echo");
    assert.deepEqual(bytes(one), first);
    assert.deepEqual(deep.map(bytes), [second, Buffer.alloc(0)]);
    assert.equal(text, "text");
  });

  feature("binary between text, in order", async (scene) => {
    const client = await scene.connect();
    for (let i = 0; i < 30; ++i) client.emit("echo", i % 2 ? Buffer.from([i]) : i);
    const got = await client.queue("echo").take(30);
    assert.deepEqual(got.map(([value]) => (typeof value === "number" ? value : bytes(value)[0])), Array.from({ length: 30 }, (_, i) => i));
  });

  feature("acknowledgements from the server", async (scene) => {
    const client = await scene.connect();
    const questions = [[], [1], ["zwei", { drei: 3 }]];
    assert.deepEqual(await Promise.all(questions.map((args) => client.ask_all("echo", ...args))), questions);
  });

  feature("acknowledgements from the server, with binary", async (scene) => {
    const client = await scene.connect();
    const [text, { deep }] = await client.ask_all("echo", "text", { deep: Buffer.from([1, 2, 3]) });
    assert.equal(text, "text");
    assert.deepEqual(bytes(deep), Buffer.from([1, 2, 3]));
  });

  feature("acknowledgements from the client (emit_with_ack)", async (scene) => {
    const client = await scene.connect();
    client.on("sum", (a, b, ack) => ack(a + b, "sum"));
    assert.deepEqual(await client.ask("ask", "sum", [4, 5], 20_000), { answer: [9, "sum"] });
  });

  feature("acknowledgements from the client, with binary", async (scene) => {
    const client = await scene.connect();
    client.on("bytes", (given, ack) => ack({ back: given }));
    const { answer: [{ back }] } = await client.ask("ask", "bytes", [Buffer.from([7, 8])], 20_000);
    assert.deepEqual(bytes(back), Buffer.from([7, 8]));
  });

  feature("timeout of an acknowledgement that the client owes", async (scene) => {
    const client = await scene.connect();
    client.on("never answered", () => {});
    assert.deepEqual(await client.ask("ask", "never answered", [], 50), { error: "timeout" });
  });

  feature("an acknowledgement that the client owes ends with the client", async (scene) => {
    const client = await scene.connect();
    client.on("never answered", () => client.socket.disconnect());
    client.emit("ask", "never answered", [], 3_600_000);
    assert.equal((await scene.seen("asked")).error, "disconnected");
  }, { skip: { reference: "waits for the timeout" } });

  feature("timeout of an acknowledgement that the server owes", async (scene) => {
    const client = await scene.connect();
    const timed_out = new Promise((resolve) => client.socket.timeout(50).emit("never answered", resolve));
    const outcome = await deadline(timed_out, patience_ms, "timeout of never answered");
    assert.match(outcome.message, /timed out/);
    assert.deepEqual(await client.socket.timeout(20_000).emitWithAck("echo", 5), 5);
  }, { skip: { 2: "timeout() came with version 4.4", 3: "timeout() came with version 4.4" } });

  feature("retries: sent again until it is acknowledged", async (scene) => {
    const client = await scene.connect({ retries: 2, ackTimeout: 20_000 });
    const answers = [1, 2, 3].map((i) => new Promise((resolve) => { client.emit("echo", i, (error, value) => resolve(error ?? value)); }));
    assert.deepEqual(await deadline(Promise.all(answers), patience_ms, "three answers"), [1, 2, 3]);
  }, { skip: { 2: "retries came with version 4.6", 3: "retries came with version 4.6" } });

  feature("per-packet middleware refuses", async (scene) => {
    const client = await scene.connect();
    client.emit("forbidden", 1);
    assert.deepEqual(await client.next("packet_refused"), ["not allowed"]);
    await client.settled();
  });

  feature("catch-all listeners on the server, in and out", async (scene) => {
    const client = await scene.connect();
    await client.ask("catch_all");
    client.emit("nobody listens", 1, [2]);
    client.emit("echo", "x");
    await client.next("echo");
    const caught = await client.ask("caught");
    assert.deepEqual(caught.in, [["nobody listens", 1, [2]], ["echo", "x"], ["caught"]]);
    assert.deepEqual(caught.out, [["echo", "x"]]);
  });

  feature("catch-all listeners of the client, in and out", async (scene) => {
    const client = await scene.connect();
    const sent = [];
    if (scene.version === 4) client.socket.onAnyOutgoing((...all) => sent.push(all));
    client.emit("echo", "x", 2);
    assert.deepEqual(await client.next("echo"), ["x", 2]); // by onAny
    if (scene.version === 4) assert.deepEqual(sent, [["echo", "x", 2]]);
  }, { skip: { 2: "onAny() came with version 3" } });

  feature("volatile events reach a client that can take them", async (scene) => {
    const client = await scene.connect();
    // One may be dropped whenever the connection is busy.
    for (let i = 0; !client.queue("volatile").items.length; ++i) await client.ask("volatile", "volatile", [i]);
    assert.equal((await client.next("volatile")).length, 1);
  });

  feature("volatile events of the client", async (scene) => {
    const client = await scene.connect();
    for (let i = 0; !client.queue("echo").items.length; ++i) {
      client.socket.volatile.emit("echo", i);
      await client.settled();
    }
  }, { skip: { 2: "volatile came with version 3" } });

  feature("heartbeat: alive after several intervals of silence", async (scene) => {
    const client = await scene.connect();
    await client.upgraded();
    const id = client.id;
    // Interval and timeout together are 2 s.
    const beats = [];
    await deadline(new Promise((resolve) => {
      const beat = ({ type }) => { if (/^p[io]ng$/.test(type)) beats.push(type); if (beats.length >= 4) resolve(); };
      client.engine.on("packet", beat);
    }), patience_ms, () => `4 pings or pongs, after ${beats}`);
    assert.equal(await client.ask("echo", id), client.id);
  });

  feature("what is emitted before the connection stands is sent then", async (scene) => {
    const client = scene.open();
    for (let i = 0; i < 5; ++i) client.emit("echo", i);
    assert.deepEqual((await client.queue("echo").take(5)).flat(), [0, 1, 2, 3, 4]);
  });
});
