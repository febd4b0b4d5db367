/** Without what is null or undefined, for options that are left out when they are not given. */
export function present<T extends object>(given: T) {
  const entries = Object.entries(given).filter(([, value]) => value != null);
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}
