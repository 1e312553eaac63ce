// The official client, with every event kept from the start, so that nothing is missed between connecting and looking.
import { io } from "socket.io-client";
import { Queue, deadline, once, patience_ms } from "./wait.mjs";

export const modes = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] },
};

export class Client {
  // `url` may end in a namespace. No reconnection: a lost connection has to fail the test.
  constructor(url, { mode = "websocket", ...options } = {}) {
    this.socket = io(url, { ...modes[mode], forceNew: true, reconnection: false, ...options });
    this.queues = new Map();
    this.connected = new Promise((resolve, reject) => {
      this.socket.once("connect", resolve);
      this.socket.once("connect_error", reject);
    });
    this.connected.catch(() => {});
    this.socket.onAny((event, ...args) => this.queue(event).push(args));
    this.socket.on("disconnect", (reason) => { this.ended = reason; });
  }

  static async connect(url, options) {
    const client = new Client(url, options);
    await deadline(client.connected, patience_ms, `connect to ${url}`);
    return client;
  }

  // Several namespaces on this client's connection.
  also(namespace, options = {}) {
    const other = Object.create(Client.prototype);
    Object.assign(other, { queues: new Map(), socket: this.socket.io.socket(namespace, options) });
    other.connected = once(other.socket, "connect");
    other.connected.catch(() => {});
    other.socket.onAny((event, ...args) => other.queue(event).push(args));
    other.socket.connect();
    return other;
  }

  queue(event) {
    if (!this.queues.has(event)) this.queues.set(event, new Queue(`event ${event}`));
    return this.queues.get(event);
  }

  // The arguments of the next `event`.
  next(event, timeout_ms = patience_ms) { return this.queue(event).next(timeout_ms); }

  emit(event, ...args) { this.socket.emit(event, ...args); }

  // The arguments with which the server acknowledges.
  ask(event, ...args) {
    const answer = new Promise((resolve) => this.socket.emit(event, ...args, (...values) => resolve(values)));
    return deadline(answer, patience_ms, `acknowledgement of ${event}`);
  }

  get transport() { return this.socket.io.engine.transport.name; }

  async upgraded() {
    if (this.transport !== "websocket") await once(this.socket.io.engine, "upgrade");
  }

  // Closes the whole connection, not only this namespace.
  close() { this.socket.io._close(); }
}

// A client that was there before and must be unharmed afterwards, by the same connection.
export class Witness {
  static async of(url) {
    const witness = new Witness();
    witness.client = await Client.connect(url);
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
