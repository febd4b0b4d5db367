/** Digits after the point that are kept: more than any price has. */
const DIGITS = 18;

/** Exact: amounts are decimals in text. Unknown ones are left out. */
export function sumOfMoney(amounts: readonly (string | null)[]): string {
  const sum = amounts.reduce((total, one) => (one === null ? total : total + units(one)), 0n);
  const digits = String(sum).padStart(DIGITS + 1, "0");
  const part = digits.slice(-DIGITS).replace(/0+$/, "");
  return part === "" ? digits.slice(0, -DIGITS) : `${digits.slice(0, -DIGITS)}.${part}`;
}

function units(amount: string): bigint {
  const [whole = "0", part = ""] = amount.split(".");
  return BigInt(whole + part.padEnd(DIGITS, "0").slice(0, DIGITS));
}
