// Starts what the tests talk to, each on a free port. With CARILLON_TEST_REFERENCE=1 the Node.js reference takes Carillon's
// place: an expectation that holds there is an expectation about Socket.IO and not about us.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Program, run } from "./program.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const reference = join(here, "reference_servers.mjs");

export const is_reference = process.env.CARILLON_TEST_REFERENCE === "1";
export const skip_on_reference = is_reference ? "Carillon only" : false;
export const bin_dir = resolve(root, process.env.CARILLON_BIN_DIR ?? "build/release/bin");

function binary(name) {
  const path = join(bin_dir, name);
  if (!existsSync(path)) throw new Error(`${path} is missing: build first, or choose the folder with CARILLON_BIN_DIR`);
  return path;
}

async function when_ready(program, pattern, describe) {
  try {
    return describe(await program.output(pattern));
  } catch (error) {
    program.child.kill("SIGKILL");
    throw error;
  }
}

async function start_example_program(command, args) {
  const program = new Program(command, args);
  return when_ready(program, /^ready (127\.0\.0\.1|\[::1\]|unix):(.+)$/m, ([, host, port]) => ({
    program, host, port: Number(port), url: `http://${host}:${port}`, stop: () => program.stop(),
  }));
}

// `name` is engine-echo, protocol, bench, features or cluster.
export async function start_example(name, flags = [], { port = 0 } = {}) {
  if (is_reference) return start_node(name, flags, { port });
  return start_example_program(binary(`carillon-example-${name}`), ["--port", String(port), ...flags]);
}

// carillon-example-origin, which only Carillon has. `address`: of the first listener.
export async function start_origin([first, ...more], flags = []) {
  const addresses = ["--listen", first, ...more.flatMap((listen) => ["--also-listen", listen])];
  const program = new Program(binary("carillon-example-origin"), [...addresses, ...flags]);
  return when_ready(program, /^ready (.+)$/m, ([, address]) => ({ program, address, stop: () => program.stop() }));
}

// carillon-example-emitter, which only Carillon has: a program that listens.
export function start_emitter(flags) {
  return new Program(binary("carillon-example-emitter"), flags, { listens: true });
}

// The same server on Node.js, whatever the mode: the cluster mate.
export function start_node(name, flags = [], { port = 0 } = {}) {
  return start_example_program(process.execPath, [reference, name, "--port", String(port), ...flags]);
}

// A folder that is gone when the test file ends: `carillon serve` keeps its data below the working directory.
const folders = [];
export function temporary_folder() {
  if (!folders.length) process.on("exit", () => { for (const folder of folders) rmSync(folder, { recursive: true, force: true }); });
  folders.push(mkdtempSync(join(tmpdir(), "carillon-test-")));
  return folders.at(-1);
}

export const ready_line = /^carillon ready clients=(\S+) api=(\S+) node=(\S+)$/m;

// `carillon serve` on free ports. { clients, api } are URLs.
export async function start_carillon(flags = [], { env, listen = true } = {}) {
  const addresses = listen ? ["--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0"] : [];
  const args = ["serve", ...addresses, ...flags];
  const options = { cwd: temporary_folder(), env };
  const program = is_reference
    ? new Program(process.execPath, [reference, ...args], options)
    : new Program(binary("carillon"), args, options);
  return when_ready(program, ready_line, ([, clients, api, node]) => ({
    program, node, clients: `http://${clients}`, api: `http://${api}`, stop: () => program.stop(),
  }));
}

export function run_carillon(args, options = {}) {
  return run(binary("carillon"), args, { cwd: temporary_folder(), ...options });
}

export function start_command(args, options = {}) {
  return new Program(binary("carillon"), args, { cwd: temporary_folder(), ...options });
}
