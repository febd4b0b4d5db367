import { type Config, settings } from "./settings.ts";

const ANTHROPIC_URL = "https://api.anthropic.com/v1";

/** OPENAI_URL. Its default is OpenAI's, which speaks no other language: with it Anthropic's own is meant. */
export function upstreamUrl({
  OPENAI_URL,
  OPENAI_KIND,
}: Pick<Config, "OPENAI_URL" | "OPENAI_KIND">) {
  const isUsual = OPENAI_URL.href === new URL(settings.OPENAI_URL.default).href;
  return isUsual && OPENAI_KIND === "anthropic" ? new URL(ANTHROPIC_URL) : OPENAI_URL;
}
