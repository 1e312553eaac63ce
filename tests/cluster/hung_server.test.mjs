// A server that hangs costs its own answers, and nobody else's: Carillon gives what the others have said, and says that
// somebody is missing. (A Node.js server fails the whole call, which is why nobody else asks here.)
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { Client } from "../support/clients.mjs";
import { Members } from "../support/cluster_matrix.mjs";
import { RedisServer } from "../support/redis.mjs";
import { skip_on_reference } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

// The kernel stops a process some time after the signal: until then it may go on answering.
async function stop(child) {
  child.kill("SIGSTOP");
  const state = (thread) => readFileSync(`/proc/${child.pid}/task/${thread}/stat`, "utf8").replace(/^.*\) /s, "")[0];
  await eventually("the process to be stopped", () => readdirSync(`/proc/${child.pid}/task`).every((thread) => state(thread) === "T"));
}

for (const adapter of ["pubsub", "sharded", "streams"]) {
  for (const other of ["carillon", "node"]) {
    describe(`${adapter}: one of two ${other} servers hangs`, { skip: skip_on_reference }, () => {
      let redis;
      let members;
      let clients;
      before(async () => {
        redis = await RedisServer.start();
        members = await Members.start(redis, { caller: "carillon", other, flags: ["--adapter", adapter] });
        await members.until_complete();
        clients = await Promise.all(members.all.map(({ url }) => Client.connect(url)));
        for (const [i, client] of clients.entries()) {
          await client.ask("join", "room");
          await client.ask("join", `room-${i}`);
          client.socket.on("question", (answer) => answer(i));
        }
      });
      after(async () => {
        for (const client of clients ?? []) client.close();
        await members?.stop();
        await redis?.stop();
      });

      it("partial answers while it hangs, whole ones when it goes on", async () => {
        const [{ socket }] = clients;
        const ask = (event, ...args) => socket.timeout(15_000).emitWithAck(event, ...args);
        const ask_all = async () => {
          const [fetched, answers, servers, rooms] = await Promise.all([
            ask("fetch_sockets", { rooms: ["room"], except: [] }),
            ask("broadcast_ack", { rooms: ["room"], event: "question", args: [], flags: { timeout: 1500 } }),
            ask("server_side_emit_ack", { event: "who", args: [] }),
            adapter === "pubsub" ? ask("all_rooms") : [],
          ]);
          return {
            fetched: fetched.map(({ id }) => clients.findIndex((client) => client.socket.id === id)).sort(),
            answers: answers.responses.sort(), answers_missing: answers.error !== null,
            servers: servers.responses, servers_missing: servers.error !== null,
            rooms: rooms.filter((room) => room.startsWith("room-")).sort(),
          };
        };
        const whole = {
          fetched: [0, 1, 2], answers: [0, 1, 2], answers_missing: false, servers: ["other-1", "other-2"], servers_missing: false,
          rooms: adapter === "pubsub" ? ["room-0", "room-1", "room-2"] : [],
        };
        const partial = {
          fetched: [0, 1], answers: [0, 1], answers_missing: true, servers: ["other-1"], servers_missing: true,
          rooms: adapter === "pubsub" ? ["room-0", "room-1"] : [],
        };
        const sorted = ({ servers, ...rest }) => ({ ...rest, servers: servers.sort() });
        assert.deepEqual(sorted(await ask_all()), sorted(whole));
        await stop(members.others[1].program.child);
        try {
          assert.deepEqual(sorted(await ask_all()), sorted(partial));
        } finally {
          members.others[1].program.child.kill("SIGCONT");
        }
        // What it hung on it answers now: nobody waits for that any more, and it harms nothing.
        await members.until_complete();
        assert.deepEqual(sorted(await ask_all()), sorted(whole));
      });
    });
  }
}
