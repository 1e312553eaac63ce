// 10,000 messages, text and binary, to everyone and to rooms, from every kind of publisher at once: each arrives exactly
// once at each client that it is for, in the order of its publisher.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { emit } from "../support/api.mjs";
import { bytes } from "../support/clients.mjs";
import { Cluster, Listener, encode } from "../support/cluster.mjs";
import { is_slow } from "../support/wait.mjs";

const message_count = is_slow ? 2_000 : 10_000;

const clusters = {
  "two Carillon nodes and one Node.js server": ["serve", "bench", "node"],
  "two Carillon nodes": ["serve", "bench"],
};

// Every fourth message is for alice's room, every fourth for bob's, the others for everyone.
const rooms_of = (i) => [undefined, ["user:alice"], undefined, ["user:bob"]][i % 4];
const is_for = (user, i) => rooms_of(i) === undefined || rooms_of(i)[0] === `user:${user}`;

for (const [title, kinds] of Object.entries(clusters)) {
  describe(title, () => {
    let cluster;
    before(async () => {
      cluster = await Cluster.start(kinds);
      await cluster.until_complete();
    });
    after(() => cluster?.stop());

    it(`${message_count} messages, split over every kind of publisher, exactly once and in order`, async () => {
      const listeners = [];
      for (const user of ["alice", "bob"]) {
        const clients = await cluster.connect_to_each(user);
        clients.forEach((client, i) => listeners.push(Object.assign(new Listener(client, `${user} at ${cluster.members[i].kind}`), { user })));
      }
      const publishers = await Promise.all([...cluster.members, "emitter"].map((member) => cluster.publisher(member)));
      const each = Math.ceil(message_count / publishers.length);
      await Promise.all(publishers.map(async ({ name, publish, takes_binary }) => {
        for (let i = 0; i < each; ++i) {
          await publish(encode({ from: name, i }, takes_binary && i % 3 === 0), rooms_of(i));
          // All publish side by side: none may run ahead of the event loop.
          if (i % 50 === 49) await new Promise(setImmediate);
        }
      }));
      for (const { name } of publishers) {
        const numbers = Array.from({ length: each }, (_, i) => i);
        for (const listener of listeners) {
          const expected = numbers.filter((i) => is_for(listener.user, i));
          await listener.until_last(name, expected.at(-1));
          assert.deepEqual(listener.from(name), expected, `from ${name} to ${listener.name}`);
        }
      }
      for (const { name, count, received } of listeners) {
        assert.equal(count, [...received.values()].reduce((sum, numbers) => sum + numbers.length, 0), name);
      }
    });

    it("large messages, text and binary", async () => {
      const clients = await cluster.connect_to_each("large");
      const publishers = await Promise.all([...cluster.members, "emitter"].map((member) => cluster.publisher(member)));
      for (const { publish, takes_binary } of publishers) {
        const text = "x€".repeat(15_000);
        await publish(text, ["user:large"]);
        for (const client of clients) assert.equal((await client.next("n"))[0], text);
        if (!takes_binary) continue;
        const binary = Buffer.alloc(200_000, "\x00\xffbinary");
        await publish(binary, ["user:large"]);
        for (const client of clients) assert.deepEqual(bytes((await client.next("n"))[0]), binary);
      }
    });

    it("values of every JSON kind arrive as they were sent", async () => {
      const clients = await cluster.connect_to_each("values");
      const values = [
        null, true, false, 0, -1, 127, 128, -129, 65_536, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1, 0.1, -1.5e-300, 5e-324, // integers beyond 2^53 are wrong in the reference already
       
        "", "€ 𝄞 \u0000", [], {}, [[[]]], { "": { a: [null] } }, Array.from({ length: 20 }, (_, i) => i), "x".repeat(40), "x".repeat(300),
        Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, i])),
      ];
      for (const member of [...cluster.members, "emitter"]) {
        const { name, publish } = await cluster.publisher(member);
        for (const value of values) await publish(value, ["user:values"]);
        for (const client of clients) {
          for (const value of values) assert.deepEqual(await client.next("n"), [value], `${JSON.stringify(value)} from ${name}`);
        }
      }
    });

    it("users whose names mean something to Redis or to the channel's form", async () => {
      for (const user of ["*", "a#b", "#", "[a]", "?", "a\\*b", "ö 𝄞", "{slot}", "1"]) {
        const clients = await cluster.connect_to_each(user);
        const [other] = await cluster.connect_to_each(`${user}x`);
        for (const member of [...cluster.members, "emitter"]) {
          const { name, publish } = await cluster.publisher(member);
          await publish(name, [`user:${user}`]);
          for (const client of clients) assert.deepEqual(await client.next("n"), [name]);
        }
        assert.deepEqual(other.queue("n").items, []);
      }
    });

    it("through the HTTP API: several rooms, except, one socket", async () => {
      const [anna, bert] = [await cluster.connect_to_each("anna"), await cluster.connect_to_each("bert")];
      const [node] = cluster.members;
      const send = (label, options) => emit(node, { event: "api", args: [label], ...options });
      await send("both", { rooms: ["user:anna", "user:bert"] });
      await send("all but bert", { except: ["user:bert"] });
      await send("anna but not bert", { rooms: ["user:anna", "user:bert"], except: ["user:bert"] });
      await send("to one socket of another node", { rooms: [anna[1].socket.id] });
      await send("end", {});
      const labels = async (client) => {
        const got = [];
        for (;;) {
          const [label] = await client.next("api");
          if (label === "end") return got;
          got.push(label);
        }
      };
      for (const [i, client] of anna.entries()) {
        const expected = ["both", "all but bert", "anna but not bert"];
        if (i === 1) expected.push("to one socket of another node");
        assert.deepEqual(await labels(client), expected, `anna at ${cluster.members[i].kind}`);
      }
      for (const client of bert) assert.deepEqual(await labels(client), ["both"]);
    });
  });
}
