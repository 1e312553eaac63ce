// A reporter of node:test: one line of JSON for each cell of the client matrix, in the order of the run.
const pattern = /^(.*) \| (.*) \| (\d) \| (polling|websocket|upgrade)$/;

export default async function* matrix_reporter(events) {
  for await (const { type, data } of events) {
    const match = type === "test:pass" || type === "test:fail" ? pattern.exec(data.name) : null;
    if (!match) continue;
    const [, section, feature, version, mode] = match;
    const reason = typeof data.skip === "string" ? data.skip : undefined;
    const result = type === "test:fail" ? "failed" : data.skip === undefined ? "passed" : "skipped";
    yield `${JSON.stringify({ section, feature, version, mode, result, reason })}\n`;
  }
}
