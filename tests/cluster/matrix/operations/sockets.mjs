// What is asked of, and done to, sockets on all servers.
import assert from "node:assert/strict";
import { eventually } from "../../../support/wait.mjs";

const by_id = (a, b) => (a.id < b.id ? -1 : 1);
const id_of = (client) => client.socket.id;
const rooms_of = async (client) => (await client.ask("rooms"))[0].sort();

async function until_rooms(clients, rooms) {
  for (const client of clients) {
    const expected = [id_of(client), ...rooms].sort().join();
    let last;
    await eventually(() => `rooms ${expected}, last ${last}`, async () => {
      last = (await rooms_of(client)).join();
      return last === expected;
    });
  }
}

export function sockets(operation) {
  operation("fetch: id, rooms and data of everyone in a room", async (scene) => {
    const room = scene.unique("room");
    const clients = await scene.everywhere({ rooms: [room] });
    const data = [{ user: 1 }, { user: "zwei", list: [null, true, 0.5] }, {}];
    for (const [i, client] of clients.entries()) await client.ask("set_data", data[i]);
    const found = await scene.ask("fetch_sockets", { rooms: [room], except: [] });
    const expected = clients.map((client, i) => ({ id: id_of(client), rooms: [id_of(client), room].sort(), data: data[i] }));
    assert.deepEqual(found.map(({ rooms, ...rest }) => ({ ...rest, rooms: rooms.sort() })).sort(by_id), expected.sort(by_id));
  });

  operation("fetch: everyone, several rooms, except, nobody", async (scene) => {
    const rooms = [scene.unique("a"), scene.unique("b")];
    const a = await scene.everywhere({ rooms: [rooms[0]] });
    const both = await scene.everywhere({ rooms });
    const fetched = async (choice) => (await scene.ask("fetch_sockets", { rooms: [], except: [], ...choice })).map(({ id }) => id).sort();
    const everyone = await fetched({});
    for (const client of [...a, ...both]) assert.ok(everyone.includes(id_of(client)));
    assert.equal(new Set(everyone).size, everyone.length);
    assert.deepEqual(await fetched({ rooms }), [...a, ...both].map(id_of).sort());
    assert.deepEqual(await fetched({ rooms: [rooms[0]], except: [rooms[1]] }), a.map(id_of).sort());
    assert.deepEqual(await fetched({ rooms: [id_of(both[1])] }), [id_of(both[1])]);
    assert.deepEqual(await fetched({ rooms: [scene.unique("nobody")] }), []);
  });

  operation("sockets join rooms", async (scene) => {
    const [room, target, also] = [scene.unique("room"), scene.unique("target"), scene.unique("also")];
    const clients = await scene.everywhere({ rooms: [room] });
    const [excepted] = await scene.everywhere({ rooms: [room, scene.unique("quiet")] });
    await scene.ask("sockets_join", { rooms: [room], except: [scene.unique("quiet")], target: [target, also] });
    await until_rooms(clients, [room, target, also]);
    await scene.until_heard(clients, target);
    assert.ok(!(await rooms_of(excepted)).includes(target));
    const found = await scene.ask("fetch_sockets", { rooms: [also], except: [] });
    assert.deepEqual(found.map(({ id }) => id).sort(), clients.map(id_of).sort());
  });

  operation("sockets leave rooms", async (scene) => {
    const [room, target] = [scene.unique("room"), scene.unique("target")];
    const clients = await scene.everywhere({ rooms: [room, target] });
    const [excepted] = await scene.everywhere({ rooms: [room, target, scene.unique("quiet")] });
    await scene.ask("sockets_leave", { rooms: [room], except: [scene.unique("quiet")], target: [target] });
    await until_rooms(clients, [room]);
    await scene.emit({ rooms: [target], event: "n", args: [1] });
    assert.deepEqual(await excepted.next("n"), [1]);
    await scene.received_nothing(clients, "n");
  });

  for (const [title, close] of [["from the namespace", false], ["with their connections", true]]) {
    operation(`sockets are disconnected, ${title}`, async (scene) => {
      const [room, quiet] = [scene.unique("room"), scene.unique("quiet")];
      const clients = await scene.everywhere({ rooms: [room] });
      const orders = clients.map((client) => client.also("/orders"));
      await Promise.all(orders.map((client) => client.connected));
      const stay = await scene.everywhere({ rooms: [room, quiet] });
      await scene.ask("disconnect_sockets", { rooms: [room], except: [quiet], close });
      for (const client of clients) assert.match((await client.until_disconnected())[0], /io server disconnect/);
      for (const client of orders) {
        if (close) assert.match((await client.until_disconnected())[0], /io server disconnect|transport close/);
        else assert.deepEqual(await client.ask("set_data", { still: "there" }), []);
      }
      for (const client of stay) assert.deepEqual(await rooms_of(client), [id_of(client), quiet, room].sort());
    });
  }
}
