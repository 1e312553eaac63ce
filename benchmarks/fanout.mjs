// The fan-out benchmark: carillon-example-bench and the same server on Node.js, in turn, under the same load.
//
//   node benchmarks/fanout.mjs [--clients 1000] [--seconds 5] [--runs 3]
//
// The server runs on the first core, the load generator on the last. Prints a Markdown table of medians with ratios, and
// fails if a message was lost, repeated or out of order. Absolute numbers move from machine to machine; ratios of one
// run count.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = `${root}${process.env.CARILLON_BIN_DIR ?? "build/release/bin"}`;
const last_core = String(cpus().length - 1);

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "1000" },
    seconds: { type: "string", default: "5" },
    runs: { type: "string", default: "3" },
  },
});
const run = promisify(execFile);

const workloads = [
  { name: "one broadcast at a time, 50 per second", rate: 50, burst: 1 },
  { name: "bursts of 16 broadcasts, 5 per second", rate: 5, burst: 16 },
];
const servers = [
  { name: "Carillon", command: [`${bin}/carillon-example-bench`, "--port", "0"] },
  { name: "Node.js", command: [process.execPath, `${root}tests/support/reference_servers.mjs`, "bench", "--port", "0"] },
];

// The server, pinned to the first core, and its address once it listens.
async function start({ command }) {
  const child = spawn("taskset", ["-c", "0", ...command], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  return { child, address: /^ready (\S+)/.exec(line)[1] };
}

async function measure(server, { rate, burst }) {
  const { child, address } = await start(server);
  try {
    const { stdout } = await run("taskset", [
      "-c", last_core, `${bin}/fanout_load`, "--target", address, "--pid", String(child.pid),
      "--clients", values.clients, "--seconds", values.seconds, "--rate", String(rate), "--burst", String(burst),
    ]);
    return JSON.parse(stdout);
  } finally {
    child.kill();
    await once(child, "exit");
  }
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

console.log(`${values.clients} WebSocket clients, 128-byte payload, medians of ${values.runs} interleaved runs, ${cpus().length} cores\n`);
console.log("| workload | server | messages per run | CPU per delivered message | ratio | latency p50 | p99 |");
console.log("|---|---|---|---|---|---|---|");
for (const workload of workloads) {
  const results = servers.map(() => []);
  for (let i = 0; i < Number(values.runs); i++)
    for (const [s, server] of servers.entries()) results[s].push(await measure(server, workload));
  const cpu = results.map((of_server) => median(of_server.map((r) => r.cpu_us_per_message)));
  for (const [s, { name }] of servers.entries()) {
    const of = (key) => median(results[s].map((r) => r[key]));
    console.log(`| ${workload.name} | ${name} | ${results[s][0].delivered}, none lost | ${cpu[s].toFixed(2)} us | ` +
      `${(cpu[s] / cpu[0]).toFixed(1)} | ${(of("latency_us_p50") / 1000).toFixed(1)} ms | ${(of("latency_us_p99") / 1000).toFixed(1)} ms |`);
  }
}
