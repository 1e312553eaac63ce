// Engine.IO 3 spoken by hand, as socket.io-client 2 does: the client pings, and payloads say how long their packets are.
import { engine_url, http } from "./engine_session.mjs";

const octet_stream = { "content-type": "application/octet-stream" };

// A payload of texts: lengths count UTF-16 units, as JavaScript does.
export const text_payload = (...packets) => packets.map((packet) => `${packet.length}:${packet}`).join("");

export function parse_text_payload(payload) {
  const packets = [];
  for (let at = 0; at < payload.length;) {
    const colon = payload.indexOf(":", at);
    const length = Number(payload.slice(at, colon));
    packets.push(payload.slice(colon + 1, colon + 1 + length));
    at = colon + 1 + length;
  }
  return packets;
}

// A payload of bytes: 0 for a text or 1 for binary, the length in decimal digits of one byte each, 255, the packet.
export function binary_payload(...packets) {
  return Buffer.concat(packets.map((packet) => {
    const bytes = Buffer.from(packet);
    return Buffer.concat([Buffer.from([typeof packet === "string" ? 0 : 1, ...String(bytes.length).split("").map(Number), 255]), bytes]);
  }));
}

export function parse_binary_payload(payload) {
  const packets = [];
  for (let at = 0; at < payload.length;) {
    const end = payload.indexOf(255, at);
    const length = Number(payload.subarray(at + 1, end).join(""));
    const bytes = payload.subarray(end + 1, end + 1 + length);
    packets.push(payload[at] === 0 ? bytes.toString() : bytes);
    at = end + 1 + length;
  }
  return packets;
}

export class PollingSessionV3 {
  // `b64`: the client wants binary as text.
  static async open(server, { path = "/engine.io/", b64 = true, version = "EIO=3&" } = {}) {
    const session = new PollingSessionV3();
    const query = `${version}transport=polling${b64 ? "&b64=1" : ""}`;
    session.opened = await http(engine_url(server, query, path));
    if (session.opened.status !== 200) throw new Error(`handshake: ${session.opened.status} ${session.opened.body}`);
    session.first = parse_text_payload(session.opened.body);
    session.handshake = JSON.parse(session.first[0].slice(1));
    session.sid = session.handshake.sid;
    session.url = engine_url(server, `${query}&sid=${session.sid}`, path);
    session.packets = session.first.slice(1);
    return session;
  }

  get() { return http(this.url); }
  post(body, headers = { "content-type": "text/plain;charset=UTF-8" }) { return http(this.url, { method: "POST", headers, body }); }
  post_binary(...packets) { return this.post(binary_payload(...packets), octet_stream); }

  async next() {
    while (!this.packets.length) {
      const answer = await this.get();
      if (answer.status !== 200) throw new Error(`session gone: ${answer.status} ${answer.body}`);
      const is_binary = answer.headers["content-type"] === "application/octet-stream";
      this.packets.push(...(is_binary ? parse_binary_payload(answer.bytes) : parse_text_payload(answer.body)));
    }
    return this.packets.shift();
  }

  // After some requests there and back the server has read what was sent before them, see PollingSession.seen().
  async hang() {
    const answer = this.get();
    answer.catch(() => {});
    for (let i = 0; i < 3; ++i) await http(this.url, { method: "OPTIONS" });
    return { answer };
  }

  async is_gone() {
    const answer = await this.get();
    return answer.status === 400 && JSON.parse(answer.body).code === 1;
  }

  async echoes(message = "4still here") {
    const posted = await this.post(text_payload(message));
    if (posted.status !== 200) throw new Error(`post: ${posted.status} ${posted.body}`);
    const packet = await this.next();
    if (packet !== message) throw new Error(`echo of ${message}: ${packet}`);
  }
}
