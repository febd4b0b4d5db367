/**
 * What the credentials of known services look like, also masked ones: OpenAI's 401 quotes the key with
 * asterisks. A list, because a key that nobody knows can be told by nothing but its beginning.
 */
const SHAPES: readonly RegExp[] = [
  // OpenAI, Anthropic, DeepSeek, OpenRouter and many more; Parley's own tokens; Stripe
  /(?<![a-z0-9])(?:sk|pk|rk|sess|parley)-[\w*.•…-]{4,}/gi,
  /(?<![a-z0-9])(?:sk|pk|rk)_[\w*.•…-]{12,}/gi,
  // accounts
  /(?<![a-z0-9])(?:org|proj|user|acct)(?:-[a-z0-9]{8,}|_[a-z0-9]{20,})/gi,
  // Google, GitLab, newer tokens of GitHub, Slack
  /(?<![a-z0-9])(?:AIza|ya29\.|glpat-|github_pat_|xox[a-z]-|xapp-)[\w*.•…-]{8,}/gi,
  // Groq, Hugging Face, Replicate, Fireworks, Jina, Together, GitHub, npm
  /(?<![a-z0-9])(?:gsk|hf|r8|fw|jina|tgp_v1|gh[a-z]|npm)_[a-z0-9*.•…]{10,}/gi,
  // xAI, Perplexity, Cerebras, NVIDIA, Tavily
  /(?<![a-z0-9])(?:xai|pplx|csk|nvapi|tvly|tvly-dev)-[a-z0-9*.•…]{10,}/gi,
  // JSON Web Tokens, and what a header carries
  /(?<![a-z0-9])eyJ[\w-]{8,}[\w.-]*/gi,
  /(?<![a-z0-9])(?:Bearer|Basic)\s{1,256}\S+/gi,
  // AWS; in lower case these are words
  /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{12,}/g,
];

/** Azure and others have keys without a prefix: a long run of characters beside a word for it. */
const LONG_RUN = /(?<![A-Za-z0-9])[A-Za-z0-9]{32,}/g;
const BESIDE_CHARACTERS = 40;
const WORD_FOR_KEY = /key|token|secret|credential|password|authorization/i;

/** Calls back with where each one begins and ends. */
export function findKeyShapes(text: string, found: (start: number, end: number) => void): void {
  for (const shape of SHAPES) {
    for (const { index, 0: key } of text.matchAll(shape)) found(index, index + key.length);
  }
  for (const { index, 0: run } of text.matchAll(LONG_RUN)) {
    const end = index + run.length;
    const before = text.slice(Math.max(0, index - BESIDE_CHARACTERS), index);
    const after = text.slice(end, end + BESIDE_CHARACTERS);
    if (WORD_FOR_KEY.test(before) || WORD_FOR_KEY.test(after)) found(index, end);
  }
}
