import { type Fields, fieldsOf, listed, textOf, unsupported } from "./fields.ts";
import { base64In } from "./images.ts";

const PDF = "application/pdf";

/** The text of a document, with what stands above it. Throws if it is no text. */
export function documentText({ source, title, context }: Fields, path: string): string {
  return paragraphs([
    textOf(title),
    textOf(context),
    sourceText(fieldsOf(source), `${path}.source`),
  ]);
}

function sourceText({ type, data, content }: Fields, path: string): string {
  if (type === "text") return textOf(data);
  if (type !== "content") throw unsupported(path);
  if (typeof content === "string") return content;
  const texts = listed(content).map((block, index) => {
    const { type: kind, text } = fieldsOf(block);
    if (kind !== "text") throw unsupported(`${path}.content[${index}]`);
    return textOf(text);
  });
  return paragraphs(texts);
}

/** A result of the client's own search. */
export function searchResultText({ source, title, content }: Fields): string {
  const texts = listed(content).map((block) => textOf(fieldsOf(block).text));
  return paragraphs([textOf(title), textOf(source), ...texts]);
}

export function paragraphs(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join("\n\n");
}

/** A file as Anthropic takes it. Throws for what it reads nothing of. */
export function documentBlock(file: Fields, path: string): Fields {
  const source = base64In(textOf(file.file_data));
  if (source === null || source.media_type !== PDF) throw unsupported(path);
  const title = textOf(file.filename);
  return { type: "document", source, ...(title !== "" && { title }) };
}
