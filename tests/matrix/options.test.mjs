// What a server can be started with, and where it can listen.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import msgpack_parser from "socket.io-msgpack-parser";
import WebSocket from "ws";
import { bytes, modes } from "../support/clients.mjs";
import { Certificate } from "../support/certificate.mjs";
import { http } from "../support/engine_session.mjs";
import { matrix } from "../support/matrix.mjs";
import { start_example, temporary_folder } from "../support/servers.mjs";

const { XMLHttpRequest } = createRequire(import.meta.url)("xmlhttprequest-ssl"); // the official clients' own

// Events, acknowledgements, binary and a broadcast: whatever lies below must carry them all.
async function everything_works(scene) {
  const client = await scene.connect();
  client.emit("echo", 1, "zwei €", { drei: Buffer.from([3]) });
  const [one, two, { drei }] = await client.next("echo");
  assert.deepEqual([one, two, bytes(drei)], [1, "zwei €", Buffer.from([3])]);
  assert.deepEqual(await client.ask_all("echo", "x", [1]), ["x", [1]]);
  client.on("question", (given, ack) => ack(given));
  assert.deepEqual(await client.ask("ask", "question", [{ a: null }], 20_000), { answer: [{ a: null }] });
  const room = scene.unique("room");
  await client.ask("join", room);
  await client.ask("publish", { rooms: [room], event: "n", args: [7] });
  assert.deepEqual(await client.next("n"), [7]);
  const orders = await scene.also(client, "/orders");
  assert.equal(await orders.ask("echo", "orders"), "orders");
  await client.upgraded();
  assert.equal(await client.ask("echo", "at last"), "at last");
  return client;
}

const bytes_read = (client) => client.engine.transport.ws._socket.bytesRead;

const not_over_polling = "polls are compressed by httpCompression, which these clients ask for in browsers only: see tests/integration/compression.test.mjs";

matrix("Compression", { flags: ["--compression"] }, (feature) => {
  const large = JSON.stringify(Array.from({ length: 5000 }, (_, i) => i % 7));

  feature("everything, on a server with permessage-deflate and httpCompression", everything_works);

  feature("large messages are compressed over WebSocket", async (scene) => {
    const client = await scene.connect();
    await client.upgraded();
    await client.settled();
    for (const rounds of [1, 2, 3]) {
      const before = bytes_read(client);
      assert.equal(await client.ask("echo", large), large, `round ${rounds}`);
      assert.ok(bytes_read(client) - before < large.length / 10, `${bytes_read(client) - before} bytes`);
    }
  }, { skip: { polling: not_over_polling } });

  feature("compress(false) sends as it is", async (scene) => {
    const client = await scene.connect();
    await client.upgraded();
    await client.settled();
    const before = bytes_read(client);
    client.emit("uncompressed", "n", [large]);
    assert.deepEqual(await client.next("n"), [large]);
    assert.ok(bytes_read(client) - before > large.length, `${bytes_read(client) - before} bytes`);
  }, { skip: { polling: not_over_polling, reference: "heeds the flag over polling only" } });

  feature("compressed broadcasts", async (scene) => {
    const client = await scene.connect();
    await client.upgraded();
    const room = scene.unique("room");
    await client.ask("join", room);
    await client.settled();
    const before = bytes_read(client);
    await client.ask("publish", { rooms: [room], event: "n", args: [large] });
    assert.deepEqual(await client.next("n"), [large]);
    assert.ok(bytes_read(client) - before < large.length / 10, `${bytes_read(client) - before} bytes`);
  }, { skip: { polling: not_over_polling } });
});

matrix("Options and listeners", { flags: ["--msgpack"], client_options: { parser: msgpack_parser } }, (feature) => {
  feature("msgpack parser", everything_works, {
    skip: { 2: "it gives binary packets types of their own, which the parser of today's servers refuses" },
  });
});

matrix("Options and listeners", { flags: ["--path", "/some/where/"], client_options: { path: "/some/where/" } }, (feature) => {
  feature("custom path", everything_works);
});

const client_files = fileURLToPath(new URL("../../node_modules/socket.io-client/dist", import.meta.url));

matrix("Options and listeners", { flags: ["--client-files", client_files] }, (feature) => {
  feature("the client that the server serves works", async (scene) => {
    const { status, headers, body } = await http(`${scene.server.url}/socket.io/socket.io.js`);
    assert.equal(status, 200);
    assert.match(headers["content-type"], /^application\/javascript/);
    assert.ok(headers.etag);
    // What a page would give it.
    const self = { WebSocket, XMLHttpRequest, setTimeout, clearTimeout };
    const module = { exports: {} };
    new Function("module", "exports", "self", "XMLHttpRequest", body)(module, module.exports, self, XMLHttpRequest);
    const socket = module.exports.io(scene.server.url, { ...modes[scene.mode], forceNew: true, reconnection: false });
    const client = scene.kept(socket);
    assert.equal(await client.ask("echo", "from a bundle"), "from a bundle");
    await client.upgraded();
    assert.equal(client.transport, scene.mode === "polling" ? "polling" : "websocket");
  }, { skip: { 2: "the server serves the client of version 4", 3: "the server serves the client of version 4" } });
});

const certificate = new Certificate();

matrix("Options and listeners", {
  start: async () => {
    const server = await start_example("features", ["--allow-eio3", "--tls-cert", certificate.cert, "--tls-key", certificate.key]);
    return { ...server, url: `https://127.0.0.1:${server.port}`, client_options: { ca: readFileSync(certificate.cert) } };
  },
}, (feature) => {
  feature("TLS", async (scene) => {
    const client = await everything_works(scene);
    assert.equal((await client.ask("handshake")).secure, true);
  });
});

matrix("Options and listeners", { start: () => start_example("features", ["--allow-eio3", "--listen", "[::1]:0"]) }, (feature) => {
  feature("IPv6", everything_works);
});

matrix("Options and listeners", {
  start: async () => {
    const socketPath = join(temporary_folder(), "socket");
    const server = await start_example("features", ["--allow-eio3", "--listen", `unix:${socketPath}`]);
    return { ...server, url: "http://localhost", client_options: { agent: new Agent({ socketPath }) } };
  },
}, (feature) => {
  feature("Unix socket", everything_works);
});
