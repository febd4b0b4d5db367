import { IMAGE_TOKENS } from "../../core/call/reserved-tokens.ts";

/**
 * Speech is ten tokens a second in OpenAI's models and 32 in others; a second has 2,000 characters of
 * base64 or more.
 */
const AUDIO_CHARACTERS_PER_TOKEN = 64;
/** A page of a PDF is 700 tokens of text and a picture; few pages have less than 30 KB. */
const FILE_CHARACTERS_PER_TOKEN = 16;

/** The parts of a question that are no text. */
export interface BinaryParts {
  /** Their characters in the body. Base64 has a byte for each. */
  readonly characters: number;
  readonly tokens: number;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Finds pictures, audio, video and files where the endpoints take them: in `messages` and `input`, as
 * parts or in the content of messages. Base64 anywhere else is text to a model, and is billed as text.
 */
export function binaryPartsOf({ messages, input, prompt }: Fields): BinaryParts {
  let characters = 0;
  let tokens = 0;
  const add = (part: unknown) => {
    const found = isObject(part) ? binaryOf(part) : null;
    characters += found?.characters ?? 0;
    tokens += found?.tokens ?? 0;
  };
  for (const item of [...listed(messages), ...listed(input)]) {
    if (isObject(item)) for (const part of partsOf(item)) add(part);
  }
  // what a stored prompt is filled in with
  const variables = isObject(prompt) ? prompt.variables : null;
  if (isObject(variables)) for (const part of Object.values(variables)) add(part);
  return { characters, tokens };
}

function* partsOf(item: Fields): Generator<unknown> {
  yield item;
  for (const part of listed(item.content)) yield* withInner(part);
  yield* listed(item.output);
  // a screenshot that a computer has sent
  yield item.output;
}

/** What a tool has said to Anthropic's models is a part with parts of its own. */
function withInner(part: unknown): readonly unknown[] {
  const inner = isObject(part) ? part.content : undefined;
  return Array.isArray(inner) ? inner : [part];
}

function binaryOf(part: Fields): BinaryParts | null {
  switch (part.type) {
    case "image_url":
    case "input_image":
    case "computer_screenshot":
      return { characters: lengthOf(urlOf(part.image_url)), tokens: IMAGE_TOKENS };
    case "image":
      return {
        characters: lengthOf(dataOf(part.source, "data") ?? part.image),
        tokens: IMAGE_TOKENS,
      };
    case "document":
      // of text, it is text
      return dataOf(part.source, "type") === "base64"
        ? sized(dataOf(part.source, "data"), FILE_CHARACTERS_PER_TOKEN)
        : null;
    case "image_generation_call":
      return { characters: lengthOf(part.result), tokens: IMAGE_TOKENS };
    case "audio_url":
      return sized(urlOf(part.audio_url), AUDIO_CHARACTERS_PER_TOKEN);
    case "video_url":
      return sized(urlOf(part.video_url), FILE_CHARACTERS_PER_TOKEN);
    case "input_audio":
      return sized(dataOf(part.input_audio, "data"), AUDIO_CHARACTERS_PER_TOKEN);
    case "input_file":
      return sized(part.file_data, FILE_CHARACTERS_PER_TOKEN);
    case "file":
      return sized(dataOf(part.file, "file_data"), FILE_CHARACTERS_PER_TOKEN);
    default:
      return null;
  }
}

function sized(data: unknown, charactersPerToken: number): BinaryParts {
  const characters = lengthOf(data);
  return { characters, tokens: Math.ceil(characters / charactersPerToken) };
}

/** `image_url` is an object in chat and a text in responses. */
function urlOf(link: unknown): unknown {
  return isObject(link) ? link.url : link;
}

function dataOf(holder: unknown, field: string): unknown {
  return isObject(holder) ? holder[field] : undefined;
}

function lengthOf(text: unknown): number {
  return typeof text === "string" ? text.length : 0;
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}
