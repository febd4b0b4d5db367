// Node.js 22 or newer, no package. PARLEY_TOKEN=sk-... node ask-websocket.mjs
const { PARLEY_URL = "http://127.0.0.1:5000", PARLEY_TOKEN } = process.env;
const socket = new WebSocket(`${PARLEY_URL.replace(/^http/, "ws")}/ask`, "parley.v1");
await new Promise((resolve, reject) => {
  socket.onopen = resolve;
  socket.onerror = () => reject(new Error("cannot connect"));
});

const open = new Map();
socket.onmessage = ({ data }) => {
  const frame = JSON.parse(data);
  const question = open.get(frame.id);
  if (frame.type === "delta") question?.onDelta(frame.text);
  if (frame.type === "end") question?.resolve(frame);
  if (frame.type === "error") question?.reject(new Error(frame.message));
};
socket.onclose = () => {
  for (const { reject } of open.values()) reject(new Error("the connection is closed"));
};

/** Resolves with the whole answer. `after` is the answer to continue from; an earlier one branches. */
function ask(prompt, after = {}, onDelta = () => {}) {
  const id = crypto.randomUUID();
  const { conversation_id, parent_id } = after;
  const answered = new Promise((resolve, reject) => open.set(id, { resolve, reject, onDelta }));
  const frame = { type: "ask", id, prompt, conversation_id, parent_id, api_key: PARLEY_TOKEN };
  socket.send(JSON.stringify(frame));
  return answered.finally(() => open.delete(id));
}

try {
  const first = await ask("Name a fruit.", {}, (text) => process.stdout.write(text));
  console.log();
  // Both continue from the same answer, at the same time.
  const [color, taste] = await Promise.all([
    ask("What color is it?", first),
    ask("How does it taste?", first),
  ]);
  console.log(color.message);
  console.log(taste.message);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  socket.close();
}
