/**
 * US dollars as whole numbers, never floats. An amount is counted in picodollars (10^-12) and a
 * price in microdollars per million tokens, so price x tokens is exact: nothing is ever rounded.
 * A signed 64-bit database column holds up to 9.2 million dollars.
 */
export type Picodollars = bigint;
/** Microdollars per million tokens. */
export type UnitPrice = bigint;

const AMOUNT_DIGITS = 12;
const PRICE_DIGITS = 6;
/** Far above any published price; with MAX_COUNTED_TOKENS it keeps one call's cost inside 64 bits. */
const MAX_DOLLARS_PER_MILLION = 10_000n;
/** Sums of larger quotas would not fit into 64 bits. */
const MAX_DOLLARS = 9_000_000n;

/** Reads "12.5"; null when it is not a plain decimal of at most 12 places, or is too large. */
export function parseMoney(text: string): Picodollars | null {
  return scaled(text, AMOUNT_DIGITS, MAX_DOLLARS);
}

/** Reads a price in dollars per million tokens, at most 6 places; null when it is not one. */
export function parsePrice(text: string): UnitPrice | null {
  return scaled(text, PRICE_DIGITS, MAX_DOLLARS_PER_MILLION);
}

/**
 * Reads a price in dollars per token, such as "1.5e-07"; null when it is not one, or can't be held
 * exactly.
 */
export function pricePerToken(text: string): UnitPrice | null {
  // microdollars per million tokens are picodollars per token
  return priceIn(text, AMOUNT_DIGITS, 1n);
}

/** The same in dollars per unit, of which so many make one of Parley's. In microdollars. */
export function pricePerUnit(text: string, times: bigint): UnitPrice | null {
  return priceIn(text, PRICE_DIGITS, times);
}

function priceIn(text: string, places: number, times: bigint): UnitPrice | null {
  const [, whole, fraction = "", exponent = "0"] =
    /^(\d{1,20})(?:\.(\d{1,40}))?(?:e([+-]?\d{1,3}))?$/i.exec(text) ?? [];
  if (whole === undefined) return null;
  const digits = BigInt(whole + fraction) * times;
  const power = BigInt(Number(exponent) + places - fraction.length);
  const divisor = power < 0n ? 10n ** -power : 1n;
  const price = power < 0n ? digits / divisor : digits * 10n ** power;
  const max = MAX_DOLLARS_PER_MILLION * 10n ** BigInt(PRICE_DIGITS);
  return digits % divisor === 0n && price <= max ? price : null;
}

/** The shortest exact decimal: "0.0000025", "3", "-0.5". */
export function formatMoney(amount: Picodollars): string {
  return unscaled(amount, AMOUNT_DIGITS);
}

export function formatPrice(price: UnitPrice): string {
  return unscaled(price, PRICE_DIGITS);
}

/** Exact: a microdollar per million tokens is a picodollar per token. */
export function priceTimesTokens(price: UnitPrice, tokens: number): Picodollars {
  return price * BigInt(tokens);
}

function scaled(text: string, digits: number, max: bigint): bigint | null {
  const match = /^(\d{1,9})(?:\.(\d{1,12}))?$/.exec(text);
  const whole = match?.[1];
  // trailing zeros don't count: "1.5000000" is a valid price of 6 places
  const fraction = withoutLastZeros(match?.[2] ?? "");
  if (whole === undefined || fraction.length > digits) return null;
  if (BigInt(whole) > max) return null;
  const amount = BigInt(whole + fraction.padEnd(digits, "0"));
  return amount > max * 10n ** BigInt(digits) ? null : amount;
}

function unscaled(amount: bigint, digits: number): string {
  const sign = amount < 0n ? "-" : "";
  const text = (amount < 0n ? -amount : amount).toString().padStart(digits + 1, "0");
  const fraction = withoutLastZeros(text.slice(-digits));
  return sign + text.slice(0, -digits) + (fraction === "" ? "" : `.${fraction}`);
}

function withoutLastZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === "0") end -= 1;
  return digits.slice(0, end);
}
