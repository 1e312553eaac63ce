// Random connects, upgrades, emits and disconnects on real sockets; the server's memory has to be level at the end.
//
//   node tests/soak/soak.mjs [--seconds 300] [--clients 60]
//
// `./check soak` runs it with the address sanitizer, whose report of leaks fails the run; by hand:
//   ASAN_OPTIONS=quarantine_size_mb=16 CARILLON_BIN_DIR=build/asan-ubsan/bin node tests/soak/soak.mjs
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { io } from "socket.io-client";
import { start_example } from "../support/servers.mjs";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "300" }, clients: { type: "string", default: "60" } } });
const seconds = Number(values.seconds);
const settled_after_s = 150; // sessions that nobody comes back to are kept for 120 s
if (!(seconds >= 2 * settled_after_s)) throw new Error(`--seconds: at least ${2 * settled_after_s}, or memory cannot be level yet`);
const server = await start_example("bench", ["--recovery"]);
const counts = { connects: 0, upgrades: 0, recovered: 0, events: 0, acks: 0, garbage: 0, cut: 0 };
const chance = (of) => Math.random() < of;
const pick = (list) => list[Math.floor(Math.random() * list.length)];
let is_running = true;

// A client that lives for some seconds, by one of the transports, and ends in one of several ways.
async function visit() {
  const socket = io(server.url, {
    transports: pick([["polling"], ["websocket"], ["polling", "websocket"]]),
    forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 50, auth: { userId: `u${Math.floor(Math.random() * 50)}` },
  });
  socket.on("connect", () => { counts.connects++; counts.recovered += socket.recovered ? 1 : 0; });
  socket.on("n", () => { counts.events++; });
  socket.io.engine?.on("upgrade", () => { counts.upgrades++; });
  for (let step = 0; is_running && step < 20; step++) {
    if (chance(0.05)) socket.emit("pub", "to all");
    if (chance(0.5)) socket.emit("to", `user:u${Math.floor(Math.random() * 50)}`, "x".repeat(Math.random() * 2000));
    if (chance(0.3)) socket.emit("echo", Buffer.alloc(Math.random() * 3000), () => { counts.acks++; });
    if (chance(0.05)) socket.io.engine?.close();
    if (chance(0.02)) socket.io.engine?.transport?.ws?.terminate?.();
    await sleep(Math.random() * 200);
  }
  pick([() => socket.disconnect(), () => socket.io._close(), () => { counts.cut++; socket.io.engine?.transport?.ws?.terminate?.(); socket.io._close(); }])();
}

// Bytes that are nothing, or half of something.
async function throw_garbage() {
  const starts = ["GET / HTTP/1.1\r\n", "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: x\r\n\r\n", "\x16\x03\x01", "POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\ncontent-length: 10\r\n\r\nabc"];
  const raw = connect(server.port, server.host);
  raw.on("error", () => {});
  raw.write(pick(starts));
  counts.garbage++;
  await sleep(Math.random() * 300);
  raw.destroy();
}

const forever = async (what) => { while (is_running) await what(); };
const rss_mib = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.program.child.pid}/status`, "utf8"))[1]) / 1024;

const workers = [...Array.from({ length: Number(values.clients) }, () => forever(visit)), ...Array.from({ length: 5 }, () => forever(throw_garbage))];
const samples = [];
const began = performance.now();
while (performance.now() - began < seconds * 1000) {
  await sleep(1000);
  samples.push(rss_mib());
  if (samples.length % 30 === 0) console.log(`${samples.length} s: ${samples.at(-1).toFixed(1)} MiB, ${JSON.stringify(counts)}`);
}
is_running = false;
await Promise.all(workers);

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const steady = samples.slice(settled_after_s);
const [earlier, later] = [steady.slice(0, steady.length / 2), steady.slice(steady.length / 2)].map(mean);
const exit = await server.stop();
console.log(`resident: from ${settled_after_s} s on ${earlier.toFixed(1)} MiB, at the end ${later.toFixed(1)} MiB, ${JSON.stringify(counts)}`);
if (exit?.code !== 0) console.log(`the server ended with ${JSON.stringify(exit)}\n${server.program.stderr}`);
const is_level = later <= earlier * 1.03 + 1;
console.log(is_level && (exit?.code ?? 0) === 0 ? "level" : "NOT level, or no clean end");
process.exit(is_level && (exit?.code ?? 0) === 0 ? 0 : 1);
