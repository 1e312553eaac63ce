// Broadcasts with acknowledgements.
import assert from "node:assert/strict";
import { bytes } from "../../../support/clients.mjs";
import { once } from "../../../support/wait.mjs";

// Each client answers `event` with its member of `answers`; without one it keeps silent.
function answer_with(clients, event, answers) {
  for (const [i, client] of clients.entries()) client.socket.on(event, (...args) => { if (i in answers) args.at(-1)(answers[i]); });
}

const ask_all = (scene, b) => scene.ask("broadcast_ack", { flags: { timeout: 10_000 }, event: "question", args: [], ...b });

export function answers(operation) {
  operation("with acknowledgements: all answer", async (scene) => {
    const room = scene.unique("room");
    const clients = await scene.everywhere({ rooms: [room] });
    answer_with(clients, "question", ["eins", { zwei: [2] }, 3]);
    const { responses, error } = await ask_all(scene, { rooms: [room], args: [1, "zwei"] });
    assert.equal(error, null);
    assert.deepEqual(new Set(responses), new Set(["eins", { zwei: [2] }, 3]));
    assert.equal(responses.length, 3);
    for (const client of clients) assert.deepEqual((await client.next("question")).slice(0, -1), [1, "zwei"]);
  });

  operation("with acknowledgements: except, several rooms", async (scene) => {
    const rooms = [scene.unique("a"), scene.unique("b")];
    const clients = [await scene.everywhere({ rooms }), await scene.everywhere({ rooms: [rooms[0]] })].flat();
    answer_with(clients, "question", clients.map((_, i) => i));
    const { responses, error } = await ask_all(scene, { rooms, except: [clients[1].socket.id, clients[3].socket.id] });
    assert.equal(error, null);
    assert.deepEqual(responses.sort(), [0, 2, 4, 5]);
  });

  operation("with acknowledgements: binary, both ways", async (scene) => {
    const room = scene.unique("room");
    const clients = await scene.everywhere({ rooms: [room] });
    for (const client of clients) client.socket.on("question", (buffer, answer) => answer({ echo: bytes(buffer) }));
    const { responses, error } = await ask_all(scene, { rooms: [room], args: [Buffer.from("bytes")] });
    assert.equal(error, null);
    assert.deepEqual(responses.map(({ echo }) => bytes(echo).toString()), ["bytes", "bytes", "bytes"]);
  });

  operation("with acknowledgements: some do not answer in time", async (scene) => {
    const room = scene.unique("room");
    const clients = await scene.everywhere({ rooms: [room] });
    answer_with(clients, "question", { 0: "one", 2: "three" });
    const { responses, error } = await ask_all(scene, { rooms: [room], flags: { timeout: 1000 } });
    assert.equal(typeof error, "string");
    assert.deepEqual(responses.sort(), ["one", "three"]);
  });

  operation("with acknowledgements: one goes away instead", async (scene) => {
    const room = scene.unique("room");
    const clients = await scene.everywhere({ rooms: [room] });
    answer_with(clients, "question", { 0: "one", 2: "three" });
    const asked = once(clients[1].socket, "question").then(() => clients[1].close());
    const { responses, error } = await ask_all(scene, { rooms: [room], flags: { timeout: 1000 } });
    await asked;
    assert.equal(typeof error, "string");
    assert.deepEqual(responses.sort(), ["one", "three"]);
  });

  operation("with acknowledgements: to nobody", async (scene) => {
    assert.deepEqual(await ask_all(scene, { rooms: [scene.unique("nobody")] }), { responses: [], error: null });
  });
}
