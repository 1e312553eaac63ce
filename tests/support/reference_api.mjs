// The HTTP API of the reference `serve`: emit, readiness, and the project's own page.
import { readFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const page = join(dirname(fileURLToPath(import.meta.url)), "../../src/admin/page");
const client = join(dirname(fileURLToPath(import.meta.url)), "../../node_modules/socket.io/client-dist/socket.io.min.js");
const content_types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

async function body_of(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

function emit(io, { namespace = "/", rooms = [], except = [], event, args = [], volatile = false }) {
  let operator = io.of(namespace).to(rooms).except(except);
  if (volatile) operator = operator.volatile;
  operator.emit(event, ...args);
}

// `control` is a connection to Redis, or undefined without one.
export function api_handler(io, control, info) {
  const answer = (response, status, body) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  return async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    try {
      if (pathname === "/v1/emit") {
        emit(io, await body_of(request));
        answer(response, 202, {});
      } else if (pathname === "/healthz") {
        answer(response, 200, {});
      } else if (pathname === "/readyz") {
        answer(response, !control || control.status === "ready" ? 200 : 503, {});
      } else if (pathname === "/info.json") {
        answer(response, 200, info);
      } else {
        const name = pathname === "/" ? "index.html" : pathname.slice(1);
        const content = await readFile(name === "socket.io.min.js" ? client : join(page, name));
        response.writeHead(200, { "content-type": content_types[extname(name)] }).end(content);
      }
    } catch (error) {
      answer(response, 404, { error: { code: "not_found", message: error.message } });
    }
  };
}
