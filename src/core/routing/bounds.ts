/** What an operator may keep. All of it is in the memory of every process that makes calls. */
export const MAX_UPSTREAMS = 100;
export const MAX_ROUTES = 1_000;
export const MAX_STAGES = 8;
export const MAX_STAGE_TARGETS = 16;
export const MAX_WEIGHT = 1_000;
export const MAX_UPSTREAM_KEYS = 64;
export const MAX_UPSTREAM_HEADERS = 32;
export const MAX_UPSTREAM_MODELS = 200;
export const MAX_UPSTREAM_NAME_CHARACTERS = 64;
export const MAX_MODEL_CHARACTERS = 200;
export const MAX_URL_CHARACTERS = 2_000;
export const MAX_HEADER_CHARACTERS = 8_192;

export function isUpstreamName(text: string): boolean {
  return text.length <= MAX_UPSTREAM_NAME_CHARACTERS && /^[a-z0-9-]+$/.test(text);
}
