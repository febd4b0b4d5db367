import { z } from "zod";
import { openStream, postJson, type Reply } from "../../support/http.ts";

/** Of the failures of /chat_complete. */
const failure = z.looseObject({
  text: z.string().min(1),
  status: z.literal("error"),
  code: z.string(),
});

export type Headers = Readonly<Record<string, string>>;

export function complete(origin: string, body: unknown, headers: Headers = {}): Promise<Reply> {
  return postJson(`${origin}/chat_complete`, body, { headers });
}

/** `status code` of a failure in the dialect's form, to be compared as one text. */
export async function refusal(
  origin: string,
  body: unknown,
  headers: Headers = {},
): Promise<string> {
  const reply = await complete(origin, body, headers);
  return `${reply.status} ${failure.parse(reply.json).code}`;
}

/** The events of a stream, without looking into them. */
export async function streamed(origin: string, body: object, headers: Headers = {}) {
  const asked = { generate_params: { stream: true }, ...body };
  const stream = await openStream(`${origin}/chat_complete`, asked, { headers });
  return { status: stream.status, events: await Array.fromAsync(stream.events) };
}
