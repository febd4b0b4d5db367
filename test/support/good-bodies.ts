/** A body that is taken, for each route that reads one, by the route's method and path. */
const chat = { model: "gpt-4o-mini", messages: [{ role: "user", content: "hi" }] };
const price = { input: "0.15", output: "0.6" };

export const goodBodies: Readonly<Record<string, unknown>> = {
  "POST /v1/chat/completions": chat,
  "POST /v1/completions": { model: "gpt-3.5-turbo-instruct", prompt: "hi" },
  "POST /v1/responses": { model: "gpt-4o-mini", input: "hi" },
  "POST /v1/embeddings": { model: "text-embedding-3-small", input: "hi" },
  "POST /v1/moderations": { model: "omni-moderation-latest", input: "hi" },
  "POST /chat": chat,
  "POST /admin/tokens": { name: "ann" },
  "POST /admin/prices": { model: "gpt-4o-mini", ...price },
  "PUT /admin/prices/:model": price,
  "POST /admin/prices/import": [{ model: "another", ...price }],
  "POST /ask/:conversation_id": { prompt: "hi" },
  "POST /chat_complete": { prompt: "hi" },
  "POST /api": { user_content: "hi" },
  "POST /api/": { user_content: "hi" },
  "POST /system": { content: "Be brief." },
  "POST /mod": { content: "hi" },
  "POST /:chat/chat": { content: "hi" },
  "POST /:chat/img": { content: "what is it?", url: "https://pictures.example/one.png" },
  "POST /:chat/system": { content: "Be brief." },
};
