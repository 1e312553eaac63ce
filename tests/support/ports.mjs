// Ports that nobody listens on.
import { createServer } from "node:net";
import { once } from "./wait.mjs";

export async function free_port() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

export async function free_ports(count) {
  const ports = new Set();
  while (ports.size < count) ports.add(await free_port());
  return [...ports];
}
