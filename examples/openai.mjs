import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:5000/v1", apiKey: "YOUR_PARLEY_TOKEN" });
const stream = await client.chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "Why is the sky blue?" }],
  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? "");
console.log();
