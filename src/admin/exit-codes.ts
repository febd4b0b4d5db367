export const exitCodes = {
  failure: 1,
  usage: 2,
  /** As sysexits.h numbers it, and as the server ends with. */
  settings: 78,
} as const;
