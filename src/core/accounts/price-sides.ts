import { parsePrice, type UnitPrice } from "./money.ts";
import {
  type ExtraName,
  extraNames,
  type PartName,
  partNames,
  type Tier,
  tiers,
  type UnitName,
  unitNames,
} from "./price-fields.ts";

/** What the tokens of one model cost. */
export interface Sides {
  readonly input: UnitPrice;
  readonly cached: UnitPrice;
  readonly output: UnitPrice;
  /** Null: all tokens are ordinary ones. */
  readonly parts: Readonly<Partial<Record<PartName, UnitPrice>>> | null;
  /** Null: the ordinary price. */
  readonly tier: Tier | null;
  /** Null: the model is charged by its tokens alone. */
  readonly units: Readonly<Partial<Record<UnitName, UnitPrice>>> | null;
}

interface TieredSides extends Sides {
  readonly tiers: Readonly<Partial<Record<Tier, Sides>>> | null;
}

type Texts = Readonly<Partial<Record<ExtraName, string | null>>> & {
  readonly input: string;
  readonly cachedInput: string | null;
  readonly output: string;
};

type Extras = { [Name in ExtraName]?: UnitPrice };

/** The texts of a price as numbers; null if one is no price. */
export function readPrice(price: Texts): TieredSides | null {
  const input = parsePrice(price.input);
  const cached = price.cachedInput === null ? input : parsePrice(price.cachedInput);
  const output = parsePrice(price.output);
  const extras = readExtras(price);
  if (input === null || cached === null || output === null || extras === null) return null;
  const ordinary = {
    input,
    cached,
    output,
    parts: partsOf(extras),
    tier: null,
    units: unitsOf(extras),
  };
  return { ...ordinary, tiers: tiersOf(extras, ordinary) };
}

function readExtras(price: Texts): Extras | null {
  const extras: Extras = {};
  for (const name of extraNames) {
    const text = price[name];
    if (text === null || text === undefined) continue;
    const extra = parsePrice(text);
    if (extra === null) return null;
    extras[name] = extra;
  }
  return extras;
}

function partsOf(extras: Extras): Sides["parts"] {
  const parts: { [Name in PartName]?: UnitPrice } = {};
  for (const name of partNames) {
    const part = extras[name];
    if (part !== undefined) parts[name] = part;
  }
  // what is kept for longer is never cheaper
  if (parts.cacheWrite !== undefined) parts.cacheWriteHour ??= parts.cacheWrite;
  return Object.keys(parts).length === 0 ? null : parts;
}

function unitsOf(extras: Extras): Sides["units"] {
  const units: { [Name in UnitName]?: UnitPrice } = {};
  for (const name of unitNames) {
    const unit = extras[name];
    if (unit !== undefined) units[name] = unit;
  }
  return Object.keys(units).length === 0 ? null : units;
}

function tiersOf(extras: Extras, ordinary: Sides): TieredSides["tiers"] {
  const found: { [Name in Tier]?: Sides } = {};
  for (const tier of tiers) {
    const input = extras[`${tier}Input`];
    const cached = extras[`${tier}CachedInput`] ?? input;
    const output = extras[`${tier}Output`];
    if (cached === undefined && output === undefined) continue;
    found[tier] = {
      input: input ?? ordinary.input,
      cached: cached ?? ordinary.cached,
      output: output ?? ordinary.output,
      parts: ordinary.parts,
      tier,
      units: ordinary.units,
    };
  }
  return Object.keys(found).length === 0 ? null : found;
}
