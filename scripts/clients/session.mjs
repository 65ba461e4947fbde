// A session of the official TypeScript client: over HTTP with an address, else over standard input
// and output with a command. Prints what it saw as one JSON document; whoever runs it judges.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [target, ...args] = process.argv.slice(2);
const isAddress = /^https?:/.test(target);
const options = { timeout: 60_000 };

async function connected() {
  const client = new Client({ name: "session", version: "1" });
  const transport = isAddress
    ? new StreamableHTTPClientTransport(new URL(target))
    : new StdioClientTransport({ command: target, args });
  await client.connect(transport, options);
  return client;
}

async function called(client, name, parameters, extra = {}) {
  const result = await client.callTool({ name, arguments: parameters }, undefined, {
    ...options,
    ...extra,
  });
  return { isError: result.isError ?? false, document: JSON.parse(result.content[0].text) };
}

const client = await connected();
const seen = { server: client.getServerVersion(), instructions: client.getInstructions() };
seen.tools = (await client.listTools({}, options)).tools.map((tool) => tool.name);
seen.resources = (await client.listResources({}, options)).resources.map((found) => found.uri);
seen.prompts = (await client.listPrompts({}, options)).prompts.map((found) => found.name);
seen.scope = await called(client, "set_scope", { scope: { languages: ["go"] } });
seen.search = await called(client, "semantic_search", { query: "total price" });
seen.open = await called(client, "open_file", { path: "price.go" });
seen.blame = await called(client, "blame_range", { path: "price.go", start_line: 1, end_line: 1 });
seen.answer = await called(client, "answer_query", { query: "where is the total price computed?" });
seen.wrong = await called(client, "open_file", { path: "../../etc/passwd" });

const abort = new AbortController();
const cancelled = called(client, "semantic_search", { query: "x" }, { signal: abort.signal });
abort.abort("not wanted");
seen.cancelled = await cancelled.then(
  () => "answered",
  () => "cancelled",
);
seen.afterwards = await called(client, "semantic_search", { query: "total price" });
await client.close();

const again = await connected();
seen.reconnected = (await called(again, "semantic_search", { query: "total price" })).isError;
await again.close();
console.log(JSON.stringify(seen));
