// Bytes as written here and nowhere corrected: what no well-behaved library would send.
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { Queue, deadline, once, patience_ms } from "./wait.mjs";

export class RawConnection {
  static async open(server) {
    const raw = new RawConnection();
    raw.received = Buffer.alloc(0);
    raw.watchers = new Set();
    raw.socket = connect({ port: server.port, host: server.host, allowHalfOpen: true });
    raw.socket.setNoDelay(true);
    // A reset is an end too: the server may close while bytes that it never read are under way.
    raw.ended = new Promise((resolve) => {
      raw.socket.on("end", () => resolve("end"));
      raw.socket.on("error", (error) => resolve(error.code));
      raw.socket.on("close", () => resolve("close"));
    });
    raw.socket.on("data", (chunk) => {
      raw.received = Buffer.concat([raw.received, chunk]);
      for (const watch of [...raw.watchers]) watch();
    });
    await once(raw.socket, "connect");
    return raw;
  }

  write(data) { this.socket.write(data); }
  close() { this.socket.destroy(); }
  until_ended() { return deadline(this.ended, patience_ms, "the server's end of the connection"); }

  // Whatever `look` makes of the bytes so far, once it makes something of them.
  until(look, describe) {
    let watch;
    const found = new Promise((resolve) => {
      watch = () => { const value = look(this.received); if (value !== undefined) resolve(value); };
      this.watchers.add(watch);
      watch();
    });
    return deadline(found, patience_ms, () => `${describe}, received: ${this.received.subarray(0, 500)}`)
      .finally(() => this.watchers.delete(watch));
  }

  // The head of the next HTTP response: { status, headers } (names in lower case); its bytes are consumed.
  async response_head() {
    const end = await this.until((bytes) => { const at = bytes.indexOf("\r\n\r\n"); return at < 0 ? undefined : at; }, "an HTTP head");
    const [first, ...lines] = this.received.subarray(0, end).toString("latin1").split("\r\n");
    this.received = this.received.subarray(end + 4);
    const headers = Object.fromEntries(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    return { status: Number(first.split(" ")[1]), headers };
  }
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

// One frame. `length` overrides the length written, `masked: false` and `rsv` break the rules.
export function frame(opcode, payload = "", { fin = true, rsv = 0, masked = true, length } = {}) {
  const data = Buffer.from(payload);
  const size = length ?? data.length;
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const mask_bit = masked ? 0x80 : 0;
  if (size < 126) head.push(mask_bit | size);
  else if (size < 65536) head.push(mask_bit | 126, size >> 8, size & 0xff);
  else {
    const long = Buffer.alloc(8);
    long.writeBigUInt64BE(BigInt(size));
    head.push(mask_bit | 127, ...long);
  }
  if (!masked) return Buffer.concat([Buffer.from(head), data]);
  const key = randomBytes(4);
  const hidden = Buffer.from(data);
  for (let i = 0; i < hidden.length; ++i) hidden[i] ^= key[i % 4];
  return Buffer.concat([Buffer.from(head), key, hidden]);
}

export function close_payload(code, reason = "") {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return Buffer.concat([bytes, Buffer.from(reason)]);
}

function parse_frame(bytes) {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] & 0x7f;
  const at = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < at) return undefined;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < at + length) return undefined;
  return {
    fin: bytes[0] >= 0x80, rsv: (bytes[0] >> 4) & 7, opcode: bytes[0] & 15, masked: bytes[1] >= 0x80,
    payload: bytes.subarray(at, at + length), size: at + length,
  };
}

export function upgrade_request(path, headers = {}) {
  const all = {
    Host: "localhost", Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": randomBytes(16).toString("base64"), ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

// A WebSocket whose client side is written frame by frame. Server pings (text "2") are answered unless told not to.
export class RawWebSocket {
  // `behind` is sent in one segment with the handshake, before its answer.
  static async open(server, { path = "/engine.io/?EIO=4&transport=websocket", headers, heartbeat = true, behind = "" } = {}) {
    const raw = new RawWebSocket();
    raw.connection = await RawConnection.open(server);
    raw.connection.write(Buffer.concat([Buffer.from(upgrade_request(path, headers)), Buffer.from(behind)]));
    raw.head = await raw.connection.response_head();
    if (raw.head.status !== 101) return raw;
    raw.frames = new Queue("WebSocket frame");
    raw.connection.ended.then((how) => raw.frames.end(`connection ended (${how})`));
    const read = () => {
      for (;;) {
        const parsed = parse_frame(raw.connection.received);
        if (!parsed) return;
        raw.connection.received = raw.connection.received.subarray(parsed.size);
        if (heartbeat && parsed.opcode === opcodes.text && parsed.payload.toString() === "2") raw.send(frame(opcodes.text, "3"));
        else raw.frames.push(parsed);
      }
    };
    raw.connection.watchers.add(read);
    read();
    return raw;
  }

  send(...frames) { this.connection.write(Buffer.concat(frames)); }
  next() { return this.frames.next(); }
  close() { this.connection.close(); }

  async text() {
    const next = await this.next();
    if (next.opcode !== opcodes.text) throw new Error(`expected a text frame, got opcode ${next.opcode}: ${next.payload.toString("hex")}`);
    return next.payload.toString();
  }

  // The code of the server's close frame: 1005 for an empty one, 1006 for an end without any.
  async close_code() {
    for (;;) {
      let next;
      try { next = await this.next(); } catch (error) { if (this.frames.ended) return 1006; throw error; }
      if (next.opcode === opcodes.close) return next.payload.length ? next.payload.readUInt16BE(0) : 1005;
    }
  }
}
