import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ baseURL: "http://localhost:5000", apiKey: "YOUR_PARLEY_TOKEN" });
const stream = client.messages.stream({
  model: "gpt-4o-mini",
  max_tokens: 1000,
  messages: [{ role: "user", content: "Why is the sky blue?" }],
});
stream.on("text", (text) => process.stdout.write(text));
await stream.finalMessage();
console.log();
