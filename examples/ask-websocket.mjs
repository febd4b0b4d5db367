// Asks over WebSocket and goes on from an older answer. Needs Node.js 22 or newer and no package.
const { PARLEY_URL = "http://127.0.0.1:5000", PARLEY_TOKEN } = process.env;
const socket = new WebSocket(new URL("/ask", PARLEY_URL.replace(/^http/, "ws")), "parley.v1");
const open = new Map();

socket.addEventListener("message", ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.type === "delta") process.stdout.write(frame.text);
  if (frame.type === "end") open.get(frame.id)?.resolve(frame);
  if (frame.type === "error") open.get(frame.id)?.reject(new Error(frame.message));
});
socket.addEventListener("close", ({ code }) => {
  for (const { reject } of open.values()) reject(new Error(`closed with ${code}`));
});

/** `place` is where to go on: an earlier answer, or nothing for a new conversation. */
function ask(prompt, { conversation_id, parent_id } = {}) {
  const id = crypto.randomUUID();
  const answer = Promise.withResolvers();
  open.set(id, answer);
  const frame = { type: "ask", id, prompt, conversation_id, parent_id, api_key: PARLEY_TOKEN };
  process.stdout.write(`\n> ${prompt}\n`);
  socket.send(JSON.stringify(frame));
  return answer.promise.finally(() => open.delete(id));
}

await new Promise((resolve, reject) => {
  socket.addEventListener("open", resolve);
  socket.addEventListener("error", () => reject(new Error(`cannot connect to ${PARLEY_URL}`)));
});
const first = await ask("Name a colour.");
await ask("Why that one?", first);
await ask("Name another one instead.", first); // a branch: knows nothing of the question before
socket.close();
