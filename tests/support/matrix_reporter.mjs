// A reporter of node:test: one line of JSON for each cell of a matrix, in the order of the run. A cell is a test whose name
// is `section | feature | column`, where the column may be of several parts.
const pattern = /^([^|]*) \| ([^|]*) \| (.*)$/;

export default async function* matrix_reporter(events) {
  for await (const { type, data } of events) {
    const match = type === "test:pass" || type === "test:fail" ? pattern.exec(data.name) : null;
    if (!match) continue;
    const [, section, feature, column] = match;
    const reason = typeof data.skip === "string" ? data.skip : undefined;
    const result = type === "test:fail" ? "failed" : data.skip === undefined ? "passed" : "skipped";
    yield `${JSON.stringify({ section, feature, column, result, reason })}\n`;
  }
}
