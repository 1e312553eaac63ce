// The official client, with every event kept from the start, so that nothing is missed between connecting and looking.
import { setTimeout as sleep } from "node:timers/promises";
import { io } from "socket.io-client";
import { Queue, deadline, once, patience_ms } from "./wait.mjs";

export const modes = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] },
};

// In memory: of a text or of a broadcast; of the streams adapter: the id of an entry.
const offset = /^([0-9a-z]{10}(-[0-9a-z]{1,13})?|[0-9]{13}-[0-9]+)$/;

// What the application has sent: where recovery is on, events end with one more argument.
function without_offset(socket, args) {
  const has_one = socket._pid !== undefined && typeof args.at(-1) === "string" && offset.test(args.at(-1));
  return has_one ? args.slice(0, -1) : args;
}

export class Client {
  // `url` may end in a namespace. No reconnection: a lost connection has to fail the test.
  constructor(url, { mode = "websocket", socket, ...options } = {}) {
    this.socket = socket ?? io(url, { ...modes[mode], forceNew: true, reconnection: false, ...options });
    this.mode = mode;
    this.queues = new Map();
    this.connected = new Promise((resolve, reject) => {
      this.socket.once("connect", resolve);
      this.socket.once("connect_error", reject);
    });
    this.connected.catch(() => {});
    this.socket.onAny((event, ...args) => this.queue(event).push(without_offset(this.socket, args)));
    this.socket.on("disconnect", (reason) => {
      this.ended = `disconnected (${reason})`;
      for (const queue of this.queues.values()) queue.end(this.ended);
    });
  }

  static async connect(url, options) {
    const client = new Client(url, options);
    await deadline(client.connected, patience_ms, `connect to ${url}`);
    return client;
  }

  // Another namespace on this client's connection.
  also(namespace, options = {}) {
    return new Client(undefined, { socket: this.socket.io.socket(namespace, options) });
  }

  queue(event) {
    if (!this.queues.has(event)) {
      const queue = new Queue(`event ${event}`);
      if (this.ended) queue.end(this.ended);
      this.queues.set(event, queue);
    }
    return this.queues.get(event);
  }

  // The arguments of the next `event`.
  next(event, timeout_ms = patience_ms) { return this.queue(event).next(timeout_ms); }

  until_disconnected() { return this.ended ? [this.ended] : once(this.socket, "disconnect"); }

  emit(event, ...args) { this.socket.emit(event, ...args); }

  // The arguments with which the server acknowledges.
  ask(event, ...args) {
    const answer = new Promise((resolve) => this.socket.emit(event, ...args, (...values) => resolve(values)));
    return deadline(answer, patience_ms, `acknowledgement of ${event}`);
  }

  get transport() { return this.socket.io.engine.transport.name; }

  // At once for a client that is on its last transport already.
  async upgraded() {
    if (this.mode === "upgrade" && this.transport !== "websocket") await once(this.socket.io.engine, "upgrade");
  }

  // Closes the whole connection, not only this namespace.
  close() { this.socket.io._close(); }

  // Says good-bye first: the session is not kept for its return.
  leave() { this.socket.disconnect(); }
}

// A volatile event may be dropped for a client whose connection is busy just then, so it is sent until each has got one.
export async function all_get_volatile(clients, event, send) {
  let is_missing = true;
  const all = Promise.all(clients.map((client) => client.next(event))).finally(() => { is_missing = false; });
  all.catch(() => {});
  while (is_missing) {
    await send();
    await Promise.race([all, sleep(20)]);
  }
  return all;
}

// A client that was there before and must be unharmed afterwards, by the same connection.
export class Witness {
  static async of(url, options) {
    const witness = new Witness();
    witness.client = await Client.connect(url, options);
    witness.id = witness.client.socket.id;
    witness.asked = 0;
    return witness;
  }

  async is_served() {
    const question = `still there? ${++this.asked}`;
    this.client.emit("message", question);
    const [answer] = await this.client.next("message-back");
    if (answer !== question || this.client.socket.id !== this.id) throw new Error("another client was harmed");
  }

  close() { this.client.close(); }
}

// A buffer as sent is an ArrayBuffer or a Buffer as received, depending on the transport.
export function bytes(value) {
  return Buffer.from(value);
}
