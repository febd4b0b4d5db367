import { z } from "zod";
import type { Content } from "../../core/call/messages.ts";

const DATA_IMAGE = /^data:image\/[\w.+-]+[;,]/i;
const HTTPS = /^https:\/\//i;

/** Checked by its form alone: it is the upstream that fetches it. */
function isImageUrl(text: string): boolean {
  return DATA_IMAGE.test(text) || (HTTPS.test(text) && URL.canParse(text));
}

export const imageUrl = z
  .string()
  .refine(isImageUrl, { params: { expected: "image_url" } })
  .describe("An https: or data:image/ URL, which the upstream fetches");

const textPart = z.object({ type: z.literal("text"), text: z.string() });
const imagePart = z.object({
  type: z.literal("image_url"),
  image_url: z.object({
    url: imageUrl,
    detail: z.enum(["low", "high", "auto"]).exactOptional(),
  }),
});

/** Text, or parts where there are images. */
export const content = z.union([
  z.string().min(1),
  z.array(z.discriminatedUnion("type", [textPart, imagePart])).min(1),
]);

/** A question about one image, in the least detail: that costs as little as a few sentences. */
export function imageQuestion(text: string, url: string): Content {
  return [
    { type: "text", text },
    { type: "image_url", image_url: { url, detail: "low" } },
  ];
}
