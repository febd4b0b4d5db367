import { z } from "zod";

const apiKey = z.string().nullish();

/** The body of `POST /:chat/system`. */
export const chatPromptBody = z.object({
  content: z
    .string()
    .nullable()
    .describe("Empty: the global prompt as it is now. null: no prompt at all"),
  api_key: apiKey,
});

/** The body of `POST /system`. */
export const globalPromptBody = z.object({
  content: z.string().nullable().describe("Empty: nothing changes. null: no prompt any more"),
  api_key: apiKey,
});

export const globalPrompt = z.object({ content: z.string().nullable() });

export const systemMessage = z.object({
  role: z.literal("system"),
  content: z.string().nullable(),
});
