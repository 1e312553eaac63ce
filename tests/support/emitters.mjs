// Those who publish into a cluster without being a server of it.
import assert from "node:assert/strict";
import { encode } from "@msgpack/msgpack";
import { Emitter } from "@socket.io/redis-emitter";
import { run_carillon, start_emitter } from "./servers.mjs";

// Entries of the stream as @socket.io/redis-streams-emitter 0.1 writes them.
class StreamsEmitter {
  constructor(redis, namespace = "/") { Object.assign(this, { redis, namespace }); }
  of(namespace) { return new StreamsEmitter(this.redis, namespace); }

  write(type, data) {
    const text = has_binary(data) ? Buffer.from(encode(data)).toString("base64") : JSON.stringify(data);
    return this.redis.xadd("socket.io", "MAXLEN", "~", 10_000, "*", "uid", "emitter", "nsp", this.namespace, "type", String(type), "data", text);
  }
  broadcast({ rooms = [], except = [], flags = {} }, event, args) {
    return this.write(3, { packet: { type: 2, data: [event, ...args], nsp: this.namespace }, opts: { rooms, flags, except } });
  }
  sockets(type, { rooms = [], except = [] }, rest) { return this.write(type, { opts: { rooms, except, flags: {} }, ...rest }); }
  server_side(packet) { return this.write(9, { packet }); }
}

const has_binary = (value) => ArrayBuffer.isView(value) || (value !== null && typeof value === "object" && Object.values(value).some(has_binary));

function of_streams(redis) {
  const emitter = new StreamsEmitter(redis);
  return {
    emit: ({ namespace = "/", event, args = [], ...to }) => emitter.of(namespace).broadcast(to, event, args),
    sockets_join: ({ target, ...to }) => emitter.sockets(4, to, { rooms: target }),
    sockets_leave: ({ target, ...to }) => emitter.sockets(5, to, { rooms: target }),
    disconnect_sockets: ({ close, ...to }) => emitter.sockets(6, to, { close }),
    server_side_emit: (event, ...args) => emitter.server_side([event, ...args]),
  };
}

function of_pubsub(redis) {
  const emitter = new Emitter(redis);
  const chosen = ({ namespace = "/", rooms = [], except = [], flags = {} }) => {
    const operator = emitter.of(namespace).to(rooms).except(except);
    return flags.volatile ? operator.volatile : operator;
  };
  return {
    emit: ({ event, args = [], ...to }) => { chosen(to).emit(event, ...args); },
    sockets_join: ({ target, ...to }) => { chosen(to).socketsJoin(target); },
    sockets_leave: ({ target, ...to }) => { chosen(to).socketsLeave(target); },
    disconnect_sockets: ({ close, ...to }) => { chosen(to).disconnectSockets(close); },
    server_side_emit: (event, ...args) => { emitter.serverSideEmit(event, ...args); },
  };
}

// What is published for Node.js, for this adapter.
export function node_emitter(redis, adapter) {
  return { pubsub: of_pubsub, streams: of_streams }[adapter](redis.connect());
}

const flags_of = (redis, adapter, mode) => ["--redis", redis.url, "--adapter", adapter, ...(mode ? ["--mode", mode] : [])];

// carillon::Emitter, by way of carillon-example-emitter. With a method stop().
export function carillon_emitter(redis, adapter, mode) {
  const program = start_emitter(flags_of(redis, adapter, mode));
  const perform = async (request) => assert.equal(await program.say(JSON.stringify(request)), "ok");
  // It knows no bytes but those of texts.
  const as_texts = (args) => (args.some(Buffer.isBuffer) ? { args: args.map((arg) => (Buffer.isBuffer(arg) ? arg.toString() : arg)), binary: true } : { args });
  return {
    emit: ({ args = [], ...request }) => perform({ op: "emit", ...request, ...as_texts(args) }),
    sockets_join: (request) => perform({ op: "sockets_join", ...request }),
    sockets_leave: (request) => perform({ op: "sockets_leave", ...request }),
    disconnect_sockets: (request) => perform({ op: "disconnect_sockets", ...request }),
    server_side_emit: (event, ...args) => perform({ op: "server_side_emit", event, args }),
    stop: () => program.stop(),
  };
}

// `carillon emit`.
export async function emit_by_command(redis, adapter, mode, { namespace = "/", rooms = [], except = [], event, args = [] }) {
  const { code, stderr } = await run_carillon([
    "emit", ...flags_of(redis, adapter, mode), "--namespace", namespace, "--event", event, "--args", JSON.stringify(args),
    ...rooms.flatMap((room) => ["--room", room]), ...except.flatMap((room) => ["--except", room]),
  ]);
  assert.equal(code, 0, stderr);
}
