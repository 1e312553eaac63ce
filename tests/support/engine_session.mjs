// Engine.IO spoken by hand, packet by packet. Both sessions answer the server's pings by themselves unless told not to:
// the example servers end a silent session after 500 ms, which a busy machine exceeds in the middle of any test.
import { Agent, request as http_request } from "node:http";
import WebSocket from "ws";
import { Queue, deadline, patience_ms } from "./wait.mjs";

export const separator = "\x1e";
const keep_alive = new Agent({ keepAlive: true });

// { status, headers, body, bytes }. The promise has a method abort().
export function http(url, { method = "GET", headers = {}, body, agent = keep_alive, timeout_ms = patience_ms } = {}) {
  const request = http_request(url, { method, headers, agent });
  const answered = new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        resolve({ status: response.statusCode, headers: response.headers, body: bytes.toString(), bytes });
      });
    });
  });
  request.end(body);
  // Nobody waits for one that is late: its connection is not kept for that.
  const answer = deadline(answered, timeout_ms, `${method} ${url}`).catch((error) => { request.destroy(); throw error; });
  answer.abort = () => { answer.catch(() => {}); request.destroy(); };
  return answer;
}

export function engine_url(server, query, path = "/engine.io/") {
  return `${server.url}${path}?${query}`;
}

export class PollingSession {
  // `agent: false` opens a connection for each request. `parse` splits a payload into packets, for another `query`.
  static async open(server, { path = "/engine.io/", query = "EIO=4&transport=polling", parse = (payload) => payload.split(separator), heartbeat = true, agent } = {}) {
    const session = new PollingSession();
    Object.assign(session, { heartbeat, agent });
    const answer = await http(engine_url(server, query, path), { agent });
    if (answer.status !== 200) throw new Error(`handshake: ${answer.status} ${answer.body}`);
    session.handshake = JSON.parse(parse(answer.body)[0].slice(1));
    session.sid = session.handshake.sid;
    session.url = engine_url(server, `${query}&sid=${session.sid}`, path);
    session.packets = [];
    return session;
  }

  get() { return http(this.url, { agent: this.agent }); }

  post(body, headers = { "content-type": "text/plain;charset=UTF-8" }) {
    return http(this.url, { method: "POST", headers, body, agent: this.agent });
  }

  // The next packet that is not a ping; fails once the session is gone.
  async next() {
    while (!this.packets.length) {
      const answer = await this.get();
      if (answer.status !== 200) throw new Error(`session gone: ${answer.status} ${answer.body}`);
      for (const packet of answer.body.split(separator)) {
        if (packet === "2" && this.heartbeat) await this.post("3");
        else this.packets.push(packet);
      }
    }
    return this.packets.shift();
  }

  // A GET that the server holds by now, as { answer }.
  async hang() {
    const answer = this.get();
    answer.catch(() => {});
    await this.seen();
    return { answer };
  }

  // Nothing orders what comes on two TCP connections. After some requests there and back the server's loop has accepted
  // and read what was sent before them, unless it is another thread's and that one was not run; callers try again then.
  async seen() {
    for (let i = 0; i < 3; ++i) await http(this.url, { method: "OPTIONS" });
  }

  async is_gone() {
    const answer = await this.get();
    return answer.status === 400 && JSON.parse(answer.body).code === 1;
  }

  // Sends messages and waits for their echoes: the session is alive and nothing else was lost on the way.
  async echoes(message = "4still here") {
    const posted = await this.post(message);
    if (posted.status !== 200) throw new Error(`post: ${posted.status} ${posted.body}`);
    const packet = await this.next();
    if (packet !== message) throw new Error(`echo of ${message}: ${packet}`);
  }
}

// Runs `scenario` on a new session whose GET hangs. Should the ping of the example servers (300 ms) answer that GET on a
// busy machine before the scenario does, or the server see it last, the scenario proves nothing and is played again.
export async function with_hanging_get(server, scenario, options) {
  for (let attempts_left = 10; ; --attempts_left) {
    const session = await PollingSession.open(server, options);
    const get = await session.hang();
    try {
      return await scenario(session, get);
    } catch (error) {
      const answer = await get.answer.catch(() => undefined);
      if ((answer?.body !== "2" && answer?.status !== 400) || attempts_left === 0) throw error;
    }
  }
}

export class WebSocketSession {
  constructor(server, { path = "/engine.io/", query = "EIO=4&transport=websocket", heartbeat = true, protocols = [], ...options } = {}) {
    this.ws = new WebSocket(engine_url(server, query, path).replace("http", "ws"), protocols, { perMessageDeflate: false, ...options });
    this.queue = new Queue("websocket message");
    this.opened = new Promise((resolve, reject) => {
      this.ws.on("open", resolve);
      this.ws.on("error", reject);
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => this.ws.on("close", (code, reason) => resolve({ code, reason: reason.toString() })));
    this.closed.then(({ code }) => this.queue.end(`closed with ${code}`));
    this.ws.on("message", (data, is_binary) => {
      if (!is_binary && heartbeat && data.toString() === "2") this.ws.send("3");
      else this.queue.push(is_binary ? data : data.toString());
    });
  }

  // With the open packet taken.
  static async open(server, options) {
    const session = new WebSocketSession(server, options);
    const open = await session.next();
    session.handshake = JSON.parse(open.slice(1));
    session.sid = session.handshake.sid;
    return session;
  }

  next() { return this.queue.next(); }
  send(data) { this.ws.send(data); }
  until_closed() { return deadline(this.closed, patience_ms, "the server's close"); }
  close() { this.ws.terminate(); }

  async echoes(message = "4still here") {
    this.send(message);
    const packet = await this.next();
    if (packet !== message) throw new Error(`echo of ${message}: ${packet}`);
  }
}
