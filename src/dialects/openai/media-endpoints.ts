import { z } from "zod";
import { MAX_IMAGES } from "../../core/accounts/units.ts";
import type { ExpectedTokens } from "../../core/call/reserved-tokens.ts";
import type { FormPart } from "../../http/body/form.ts";
import { type RelayFields, relayFields } from "../../http/body/relay-fields.ts";
import type { Endpoint } from "./endpoints.ts";
import { expectedOfAudio, expectedOfImages, expectedOfSpeech } from "./media-expected.ts";

/** An endpoint that takes a form with files. */
export interface FormEndpoint {
  /** Below /v1. */
  readonly path: string;
  /** The same with JSON in place of the form; null: it takes none. */
  readonly json: Endpoint | null;
  /** Whether `n` says how many answers are made. */
  readonly hasCount: boolean;
  expected(parts: readonly FormPart[], made: number): ExpectedTokens;
}

const imageFields = relayFields.extend({
  prompt: z.string(),
  n: z.int().min(1).max(MAX_IMAGES).nullish(),
});
const speechFields = relayFields.extend({
  model: z.string(),
  input: z.string(),
  stream_format: z.string().nullish(),
});

const A_PICTURE = "A red bicycle in the snow.";

export const mediaEndpoints: readonly Endpoint[] = [
  {
    path: "/images/generations",
    body: imageFields,
    example: () => ({ model: "gpt-image-1", prompt: A_PICTURE }),
    asksForUsage: false,
    bounds: null,
    expected: (fields, bytes) => expectedOfImages(bytes, 0, countIn(fields)),
  },
  {
    path: "/audio/speech",
    body: speechFields,
    example: () => ({ model: "gpt-4o-mini-tts", voice: "alloy", input: "Good morning." }),
    asksForUsage: false,
    bounds: null,
    expected: (fields) => expectedOfSpeech(String(fields.input)),
    isStreamed: (fields) => fields.stream_format === "sse",
    answersFiles: true,
  },
];

const editEndpoint: Endpoint = {
  path: "/images/edits",
  body: imageFields,
  example: () => ({
    model: "gpt-image-1",
    prompt: A_PICTURE,
    images: [{ image_url: "https://example.com/bicycle.png" }],
  }),
  asksForUsage: false,
  bounds: null,
  expected: ({ prompt, images, ...fields }) =>
    expectedOfImages(Buffer.byteLength(String(prompt)), listed(images), countIn(fields)),
};

export const formEndpoints: readonly FormEndpoint[] = [
  {
    path: "/images/edits",
    json: editEndpoint,
    hasCount: true,
    expected: (parts, made) => {
      const given = parts.filter(({ file }) => file !== null).length;
      return expectedOfImages(bytesOf(parts, false), given, made);
    },
  },
  { path: "/audio/transcriptions", json: null, hasCount: false, expected: expectedOfUpload },
  { path: "/audio/translations", json: null, hasCount: false, expected: expectedOfUpload },
];

function countIn({ n }: RelayFields): number {
  return typeof n === "number" ? n : 1;
}

function listed(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

function expectedOfUpload(parts: readonly FormPart[]): ExpectedTokens {
  const [file] = parts.filter((part) => part.file !== null);
  return expectedOfAudio(file?.pieces[0] ?? new Uint8Array(), bytesOf(parts, true));
}

function bytesOf(parts: readonly FormPart[], areFiles: boolean): number {
  const all = parts.filter(({ file }) => (file !== null) === areFiles);
  return all.flatMap(({ pieces }) => pieces).reduce((sum, piece) => sum + piece.length, 0);
}
