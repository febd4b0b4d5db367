import { fieldsOf, type JsonFields, listed, stringOf, unsupported } from "./fields.ts";
import { base64In } from "./images.ts";

const PDF = "application/pdf";

/** The text of a document, with what stands above it. Throws if it is no text. */
export function documentText({ source, title, context }: JsonFields, path: string): string {
  return paragraphs([
    stringOf(title),
    stringOf(context),
    sourceText(fieldsOf(source), `${path}.source`),
  ]);
}

function sourceText({ type, data, content }: JsonFields, path: string): string {
  if (type === "text") return stringOf(data);
  if (type !== "content") throw unsupported(path);
  if (typeof content === "string") return content;
  const texts = listed(content).map((block, index) => {
    const { type: kind, text } = fieldsOf(block);
    if (kind !== "text") throw unsupported(`${path}.content[${index}]`);
    return stringOf(text);
  });
  return paragraphs(texts);
}

/** A result of the client's own search. */
export function searchResultText({ source, title, content }: JsonFields): string {
  const texts = listed(content).map((block) => stringOf(fieldsOf(block).text));
  return paragraphs([stringOf(title), stringOf(source), ...texts]);
}

export function paragraphs(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join("\n\n");
}

/** A file as Anthropic takes it. Throws for what it reads nothing of. */
export function documentBlock(file: JsonFields, path: string): JsonFields {
  const source = base64In(stringOf(file.file_data));
  if (source === null || source.media_type !== PDF) throw unsupported(path);
  const title = stringOf(file.filename);
  return { type: "document", source, ...(title !== "" && { title }) };
}
