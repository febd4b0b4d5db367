/**
 * What the credentials of known services look like, also masked ones: OpenAI's 401 quotes the key with
 * asterisks. A list of prefixes, because a key that nobody knows can be told by nothing else.
 */
const MASKED = "[\\w*.•…-]";

/** Prefixes in any case, each with the rest that makes it a key and not a word. */
const SHAPES: readonly string[] = [
  // OpenAI, Anthropic, DeepSeek, OpenRouter and many more; Parley's own tokens
  `(?:sk|pk|rk|sess|parley)-${MASKED}{4,}`,
  `(?:sk|pk|rk)_${MASKED}{12,}`,
  // accounts
  "(?:org|proj|user|acct)-[a-z0-9]{8,}",
  "(?:org|proj|user|acct)_[a-z0-9]{20,}",
  // Google
  `AIza${MASKED}{8,}`,
  `ya29\\.${MASKED}{8,}`,
  // Groq, xAI, Hugging Face, Replicate, Perplexity, NVIDIA, Cerebras, Together, Fireworks, Jina, Tavily
  "(?:gsk|hf|r8|fw|jina|tgp_v1)_[a-z0-9*.•…]{10,}",
  "(?:xai|pplx|csk|nvapi|tvly|tvly-dev)-[a-z0-9*.•…]{10,}",
  // GitHub, GitLab, npm, Slack
  "gh[a-z]_[a-z0-9*.•…]{10,}",
  `github_pat_${MASKED}{8,}`,
  `glpat-${MASKED}{8,}`,
  "npm_[a-z0-9*.•…]{20,}",
  `xox[a-z]-${MASKED}{8,}`,
  `xapp-${MASKED}{8,}`,
  // JSON Web Tokens and what a header carries
  "eyJ[\\w-]{8,}[\\w.-]*",
  "(?:Bearer|Basic)\\s{1,256}\\S+",
];
const PREFIXED = new RegExp(`(?<![a-z0-9])(?:${SHAPES.join("|")})`, "gi");

/** AWS; in lower case these are words. */
const AWS = /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{12,}/g;

/** Azure and others have keys without a prefix: a long run of characters beside a word for it. */
const LONG_RUN = /(?<![A-Za-z0-9])[A-Za-z0-9]{32,}/g;
const BESIDE_CHARACTERS = 40;
const WORD_FOR_KEY = /key|token|secret|credential|password|authorization/i;

/** Calls back with where each one begins and ends. */
export function findKeyShapes(text: string, found: (start: number, end: number) => void): void {
  for (const { index, 0: shape } of text.matchAll(PREFIXED)) found(index, index + shape.length);
  for (const { index, 0: shape } of text.matchAll(AWS)) found(index, index + shape.length);
  for (const { index, 0: run } of text.matchAll(LONG_RUN)) {
    const end = index + run.length;
    const before = text.slice(Math.max(0, index - BESIDE_CHARACTERS), index);
    const after = text.slice(end, end + BESIDE_CHARACTERS);
    if (WORD_FOR_KEY.test(before) || WORD_FOR_KEY.test(after)) found(index, end);
  }
}
