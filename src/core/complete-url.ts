/**
 * Whether a URL's query holds the address of chat completions, as in
 * `/api/grab?url=https://api.openai.com/v1/chat/completions`. Nothing can be appended to such a URL.
 */
export function isCompleteUrl(search: string): boolean {
  return /\/chat\/completions\/?(&|$)/i.test(search.replaceAll(/%2f/gi, "/"));
}
