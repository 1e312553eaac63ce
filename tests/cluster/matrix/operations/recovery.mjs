// A client whose connection broke comes back at another server.
import assert from "node:assert/strict";
import { io } from "socket.io-client";
import { Queue, eventually, once } from "../../../support/wait.mjs";

const only_streams = ({ adapter }) => (adapter === "streams" ? undefined : "recovery on another server is for the streams adapter");
const not_of_node = ({ caller }) => (caller === "node" ? "Node.js stores a session only when its client goes" : undefined);

// A client of `server`, in `rooms`, that has received something: only then it can say from where on it missed the rest.
async function member_of(scene, server, rooms) {
  const socket = io(server.url, { transports: ["websocket"], forceNew: true, reconnection: false });
  scene.ends.push(() => socket.disconnect());
  const got = new Queue("event n");
  socket.on("n", (...args) => got.push(args.slice(0, -1)));
  let is_reached = false;
  socket.on("first", () => { is_reached = true; });
  await once(socket, "connect");
  for (const room of rooms) await socket.emitWithAck("join", room);
  await eventually("the first event", async () => {
    await scene.emit({ rooms: [socket.id], event: "first" });
    return is_reached;
  });
  return { socket, got, id: socket.id };
}

// What it misses is emitted, it comes back at `server`, and has missed nothing.
async function comes_back({ socket, got, id }, scene, server, [room, quiet]) {
  await scene.emit({ rooms: [room], event: "n", args: ["missed", 1] });
  await scene.emit({ event: "n", args: ["to everyone"] });
  await scene.emit({ rooms: [scene.unique("nobody")], event: "n", args: ["for others"] });
  await scene.emit({ rooms: [room], except: [quiet], event: "n", args: ["excepted"] });
  await scene.emit({ rooms: [id], event: "n", args: ["to itself", { deep: [2] }] });

  socket.io.uri = server.url;
  socket.connect();
  await once(socket, "connect");
  assert.deepEqual({ recovered: socket.recovered, id: socket.id }, { recovered: true, id });
  assert.deepEqual(await got.take(3), [["missed", 1], ["to everyone"], ["to itself", { deep: [2] }]]);
  assert.deepEqual((await socket.emitWithAck("rooms")).sort(), [id, room, quiet].sort());
  await scene.emit({ rooms: [room], event: "n", args: ["live"] });
  assert.deepEqual(await got.next(), ["live"]);
  assert.deepEqual(got.items, []);
}

export function recovery(operation) {
  operation("recovery on another server: missed events, rooms, id", async (scene) => {
    const rooms = [scene.unique("room"), scene.unique("quiet")];
    const client = await member_of(scene, scene.members.caller, rooms);
    const { _pid } = client.socket;
    client.socket.io.engine.close();
    const control = scene.redis.connect();
    await eventually("the session to be stored", () => control.exists(`sio:session:${_pid}`));
    await comes_back(client, scene, scene.members.others[0], rooms);
  }, { skip: only_streams });

  operation("recovery on another server after SIGKILL of the first", async (scene) => {
    const rooms = [scene.unique("room"), scene.unique("quiet")];
    const victim = await scene.start_member("victim", scene.caller);
    const client = await member_of(scene, victim, rooms);
    const ended = once(client.socket, "disconnect");
    await victim.program.kill();
    await ended;
    await comes_back(client, scene, scene.members.others[0], rooms);
  }, { skip: (setup) => only_streams(setup) ?? not_of_node(setup) });
}
