import { z } from "zod";
import type { RouteDoc } from "../../http/dialect.ts";

/** OpenAI checks the rest. */
export const batchBody = z.looseObject({
  input_file_id: z.string(),
  endpoint: z.string(),
  completion_window: z.string(),
});

const uploadForm = z.looseObject({
  purpose: z.string().meta({ example: "batch" }),
  file: z.string().meta({ format: "binary" }),
});

const query = z.object({
  purpose: z.string().optional(),
  limit: z.string().optional(),
  order: z.string().optional(),
  after: z.string().optional(),
});

const about = {
  description: "Only with an OpenAI API key of the caller's own; a token gets 403.",
  asks: true,
  answer: z.looseObject({}).describe("OpenAI's own answer, unchanged"),
  fails: ["own_key_needed", "not_found"],
} as const satisfies Partial<RouteDoc>;

export const fileDocs = {
  upload: {
    ...about,
    summary: "Uploads a file",
    description: `The body is OpenAI's multipart/form-data, up to MAX_UPLOAD_BYTES. ${about.description}`,
    form: uploadForm,
    fails: [...about.fails, "body_too_large", "body_incomplete", "content_type_unsupported"],
  },
  list: { ...about, summary: "The list of them", query },
  show: { ...about, summary: "One of them" },
  remove: { ...about, summary: "Deletes a file" },
  content: {
    ...about,
    summary: "What is in a file",
    answerType: "application/octet-stream",
    answer: z.string().describe("The bytes of the file"),
  },
  createBatch: {
    ...about,
    summary: "Starts a batch",
    body: batchBody,
    example: {
      input_file_id: "file-abc123",
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    },
  },
  cancel: { ...about, summary: "Cancels a batch" },
} as const satisfies Record<string, RouteDoc>;
