// Ports that nobody listens on, below those which the kernel gives to outgoing connections. Where a server has been killed, a
// client that tries again and again would sooner or later get the server's port for itself, and even connect to itself
// there: the server could not come back.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

const first = 10_000;
const [outgoing] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").trim().split(/\s+/).map(Number);
const tries_max = 100;

async function is_free(port) {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if (error.code === "EADDRINUSE") return false;
    throw error;
  }
  server.close();
  await once(server, "close");
  return true;
}

export async function free_port() {
  for (let i = 0; i < tries_max; ++i) {
    const port = first + Math.floor(Math.random() * (outgoing - first));
    if (await is_free(port)) return port;
  }
  throw new Error(`no free port found from ${first} to ${outgoing}, where the kernel's own begin (net.ipv4.ip_local_port_range)`);
}

export async function free_ports(count) {
  const ports = new Set();
  while (ports.size < count) ports.add(await free_port());
  return [...ports];
}
