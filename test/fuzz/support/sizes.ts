/** How much is sent; `npm run test:deep` sends more. */
export const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 4_000);
/** Only what has run long enough has its working size. */
export const isDeep = REQUESTS >= 50_000;
export const FUZZ_MS = 60_000 + 12 * REQUESTS;
/** Another in every run; the one that is printed, put here, repeats a run. */
export const SEED = Date.now() % 2 ** 31;
