import { z } from "zod";
import type { RouteDoc } from "../../http/dialect.ts";
import { relayDoc } from "./docs.ts";
import type { Endpoint } from "./endpoints.ts";
import type { FormEndpoint } from "./media-endpoints.ts";

const PRICED = "A token needs a price for the model: per unit, or per million tokens.";

/** Endpoints that make images or sound. */
export function mediaDoc(endpoint: Endpoint, model: string): RouteDoc {
  const { description, ...doc } = relayDoc(endpoint, model);
  const streams = { event: z.looseObject({}).describe("OpenAI's own event, unchanged") };
  const withPrice = { ...doc, ...streams, description: `${description} ${PRICED}` };
  if (!endpoint.answersFiles) return withPrice;
  const { headers: _none, fails: _noneOfThem, ...file } = withPrice;
  const answer = z.string().describe("The bytes of the sound, with OpenAI's own content type");
  return { ...file, answer, answerType: ["audio/mpeg", "application/octet-stream"] };
}

const file = z.string().meta({ format: "binary" });
const named = (example: string) => z.string().meta({ example });

/** What a form must have; all other fields pass, too. */
const soundForm = z.looseObject({ model: named("whisper-1"), file });
const imageForm = z.looseObject({
  model: named("gpt-image-1"),
  prompt: named("A red bicycle in the snow."),
  image: file,
});

export function formDoc({ path, json }: FormEndpoint, model: string): RouteDoc {
  const orJson = json === null ? "" : " It may also be OpenAI's JSON.";
  return {
    summary: `OpenAI's ${path}`,
    description: `The body is OpenAI's multipart/form-data, up to MAX_UPLOAD_BYTES.${orJson} ${PRICED}`,
    asks: true,
    form: json === null ? soundForm : imageForm,
    ...(json && { body: json.body, example: json.example(model) }),
    answer: z.looseObject({}).describe("OpenAI's own answer, unchanged"),
    fails: [
      ...["body_too_large", "body_incomplete", "content_type_unsupported", "bad_request"],
      ...["field_repeated", "field_range", "field_too_long", "overloaded"],
      ...["model_forbidden", "model_not_priced", "quota_exceeded"],
    ] as const,
  };
}
