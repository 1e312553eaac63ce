// A node pays only for its own users: it is subscribed to the base channels and to the rooms that it holds, to nothing else.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "../support/clients.mjs";
import { Cluster, base_channel, request_channel, room_channel } from "../support/cluster.mjs";
import { skip_on_reference } from "../support/servers.mjs";
import { eventually, is_slow } from "../support/wait.mjs";

describe("subscriptions", { skip: skip_on_reference }, () => {
  let cluster;
  let first;
  let second;
  before(async () => {
    cluster = await Cluster.start(["serve", "serve"], { flags: ["--shards", "4"] });
    await cluster.until_complete();
    [first, second] = cluster.members;
  });
  after(() => cluster?.stop());

  const user_rooms = () => cluster.control.pubsub("CHANNELS", "socket.io#/#user:*");
  const until_held = (user, count) => cluster.redis.until_subscribed(cluster.control, room_channel(`user:${user}`), count);
  const connect = (member, userId) => Client.connect(member.url, { auth: { userId } });

  it("are one per channel and node, whatever the number of shards, and no pattern", async () => {
    const [base, request] = await cluster.redis.subscribers(cluster.control, base_channel, request_channel);
    assert.equal(base, 2);
    // Node.js servers wait for the answer of everyone who is here: a node answers requests, or stays away.
    assert.ok(request === 2 || request === 0, `${request}`);
    assert.equal(await cluster.control.pubsub("NUMPAT"), 0);
    assert.deepEqual(await user_rooms(), []);
  });

  it("begin with the first member of a room on a node, and end with the last", async () => {
    const one = await connect(first, "ada");
    await until_held("ada", 1);
    const two = await connect(first, "ada");
    const other = await connect(second, "ada");
    await until_held("ada", 2);
    assert.deepEqual(await user_rooms(), [room_channel("user:ada")]);
    one.leave();
    other.leave();
    await until_held("ada", 1);
    two.leave();
    await until_held("ada", 0);
    assert.deepEqual(await user_rooms(), []);
  });

  it("of a room are those of the nodes that hold it: PUBLISH counts who is reached", async () => {
    const client = await connect(second, "grace");
    await until_held("grace", 1);
    assert.equal(await cluster.control.publish(room_channel("user:grace"), ""), 1);
    assert.equal(await cluster.control.publish(room_channel("user:nobody"), ""), 0);
    client.leave();
    await until_held("grace", 0);
  });

  it("end in the right state when members come and go quickly", async () => {
    for (let i = 0; i < 10; ++i) {
      const clients = await Promise.all(Array.from({ length: 5 }, () => connect(first, "quick")));
      for (const client of clients) client.leave();
    }
    const last = await connect(first, "quick");
    await until_held("quick", 1);
    last.emit("unknown");
    // The late ends of the earlier connections must not take it away.
    await connect(second, "quick").then(async (marker) => {
      await until_held("quick", 2);
      marker.leave();
    });
    await until_held("quick", 1);
    last.leave();
    await until_held("quick", 0);
  });

  it("of many rooms come and go completely", async () => {
    const count = is_slow ? 50 : 300;
    const clients = await Promise.all(Array.from({ length: count }, (_, i) => connect(i % 2 ? first : second, `crowd-${i}`)));
    await eventually(`${count} rooms`, async () => (await user_rooms()).length === count);
    for (const client of clients) client.leave();
    await eventually("no rooms", async () => (await user_rooms()).length === 0);
  });

  it("of a node that is killed are gone at once", async () => {
    const member = await cluster.start_member("serve", 9, []);
    const client = await connect(member, "victim");
    await until_held("victim", 1);
    await member.program.kill();
    await until_held("victim", 0);
    await cluster.redis.until_subscribed(cluster.control, base_channel, 2);
    client.leave();
  });
});
