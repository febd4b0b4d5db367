/** Prices beside those of input, cached input and output. Each by its name in lists and records. */
export const partFields = {
  /** Of the question: written into a cache, for some minutes or for an hour. */
  cacheWrite: "cache_write",
  cacheWriteHour: "cache_write_1h",
  audioInput: "audio_input",
  /** Of the answer. */
  audioOutput: "audio_output",
  reasoning: "reasoning",
} as const;

const tierFields = {
  flexInput: "flex_input",
  flexCachedInput: "flex_cached_input",
  flexOutput: "flex_output",
  priorityInput: "priority_input",
  priorityCachedInput: "priority_cached_input",
  priorityOutput: "priority_output",
} as const;

/** Of what is not counted in tokens. */
export const unitFields = {
  perImage: "per_image",
  perMinute: "per_minute",
  perMillionCharacters: "per_million_characters",
} as const;

export const extraFields = { ...partFields, ...tierFields, ...unitFields };

/** Tokens that may have a price of their own. */
export type PartName = keyof typeof partFields;
export type UnitName = keyof typeof unitFields;
export type ExtraName = keyof typeof extraFields;

/** How a service may answer at another price than its ordinary one. */
export const tiers = ["flex", "priority"] as const;
export type Tier = (typeof tiers)[number];

// Object.keys forgets the type of the keys.
export const partNames = Object.keys(partFields) as readonly PartName[];
export const unitNames = Object.keys(unitFields) as readonly UnitName[];
export const extraNames = Object.keys(extraFields) as readonly ExtraName[];

export function eachExtra<T>(read: (name: ExtraName) => T): Readonly<Record<ExtraName, T>> {
  const entries = extraNames.map((name) => [name, read(name)]);
  return Object.fromEntries(entries) as Record<ExtraName, T>; // of all names
}
