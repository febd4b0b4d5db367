import type { Dropped } from "./dropped.ts";
import { fieldsOf, type JsonFields, stringOf, unsupported } from "./fields.ts";

/** A picture as OpenAI takes it. */
export function imagePart(source: JsonFields, path: string): JsonFields {
  if (source.type === "url") return imageOf(stringOf(source.url));
  if (source.type !== "base64") throw unsupported(`${path}.source`);
  return imageOf(`data:${stringOf(source.media_type)};base64,${stringOf(source.data)}`);
}

function imageOf(url: string): JsonFields {
  return { type: "image_url", image_url: { url } };
}

/** A picture as Anthropic takes it. */
export function imageBlock(link: unknown, path: string, dropped: Dropped): JsonFields {
  const fields = fieldsOf(link);
  if (fields.detail !== "auto") dropped.field(fields, "detail");
  const url = stringOf(typeof link === "string" ? link : fields.url);
  if (/^https?:/i.test(url)) return { type: "image", source: { type: "url", url } };
  const data = base64In(url);
  if (data === null) throw unsupported(path);
  return { type: "image", source: data };
}

/** Anthropic's source of what a data URL holds; null if it is none. */
export function base64In(url: string): JsonFields | null {
  const comma = url.indexOf(",");
  // no pattern over the whole text, which may have megabytes
  const mediaType = /^data:([\w.+/-]+)(?:;[\w=.-]+)*;base64$/i.exec(url.slice(0, comma))?.[1];
  if (comma === -1 || mediaType === undefined) return null;
  return { type: "base64", media_type: mediaType, data: url.slice(comma + 1) };
}
