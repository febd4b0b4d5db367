/** Keys of compatible services are often JSON Web Tokens of 1 to 4 KB. */
export const MAX_KEY_CHARACTERS = 8_192;

/** What a header can carry. Anything else would fail later, with the key in the error text. */
export function isApiKey(text: string): boolean {
  return text.length <= MAX_KEY_CHARACTERS && /^[\x21-\x7e]+$/.test(text);
}

/** Keys of Anthropic's begin so: no other service may see one. */
export function isAnthropicKey(key: string): boolean {
  return key.startsWith("sk-ant-");
}
