// npm install @grpc/grpc-js @grpc/proto-loader; ask.proto in the same folder
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const { PARLEY_GRPC = "127.0.0.1:9000", PARLEY_TOKEN, PARLEY_PROTO = "ask.proto" } = process.env;
const { chat } = grpc.loadPackageDefinition(loadSync(PARLEY_PROTO, { keepCase: true, longs: Number }));
const client = new chat.Chat(PARLEY_GRPC, grpc.credentials.createInsecure());
const metadata = new grpc.Metadata();
if (PARLEY_TOKEN) metadata.set("authorization", `Bearer ${PARLEY_TOKEN}`);

/** Prints an answer as it arrives. Pass the result to continue. */
async function ask(prompt, { conversation_id, parent_id } = {}) {
  for await (const message of client.Ask({ prompt, conversation_id, parent_id }, metadata)) {
    if (message.conversation_id) return message; // the last message
    process.stdout.write(message.response);
  }
}

try {
  const first = await ask(process.argv[2] ?? "Why is the sky blue?");
  console.log("\n--");
  const last = await ask(process.argv[3] ?? "And at sunset?", first);
  console.log(`\n-- ${last.usage?.total_tokens} tokens, conversation ${last.conversation_id}`);
} catch (error) {
  console.error(`${grpc.status[error.code]}: ${error.details}`);
  process.exitCode = 1;
} finally {
  client.close();
}
