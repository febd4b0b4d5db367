import { z } from "zod";
import { parseAdminToken } from "../config/kinds.ts";
import type { Route, RouteDoc } from "../http/dialect.ts";
import { field, type ParsedField, plainText, wrongType } from "./fields.ts";

/** More than a header of ours could carry. */
const MAX_TOKEN_CHARACTERS = 1_000;
const MAX_CODE_CHARACTERS = 100;

export const sessionSchemas = {
  signIn: z.strictObject({ token: plainText(MAX_TOKEN_CHARACTERS) }),
  setup: z.strictObject({ code: plainText(MAX_CODE_CHARACTERS), token: newOperatorToken() }),
};

/** The rules of ADMIN_TOKEN. */
function newOperatorToken() {
  const shown = { type: "string", minLength: 16, maxLength: MAX_TOKEN_CHARACTERS };
  return field(shown, (given): ParsedField<string> => {
    if (typeof given !== "string") return wrongType("string");
    const parsed = parseAdminToken(given.trim());
    const token = "value" in parsed ? parsed.value : null;
    const isShort = token !== null && token.length <= MAX_TOKEN_CHARACTERS;
    return isShort ? { value: token } : wrongType("admin_token");
  });
}

const signedIn = z.object({ signed_in: z.literal(true), expires_at: z.iso.datetime() });
const limited = ["attempts_limited", "admin_origin_forbidden", "overloaded"] as const;
const SETS_COOKIE = "Sets a cookie that the other routes of /admin take in place of the token.";

/** How the operator signs in with a browser, by method and path below /admin. */
export const sessionDocs = {
  "GET /session": {
    summary: "Tells whether the request's cookie is signed in, and until when",
    answer: z.object({
      signed_in: z.boolean(),
      expires_at: z.iso.datetime().nullable(),
      setup: z.boolean().describe("Nobody has chosen a token yet: the link in the log is needed"),
    }),
  },
  "POST /session": {
    summary: "Signs in for 12 hours",
    description: SETS_COOKIE,
    body: sessionSchemas.signIn,
    example: { token: "correct-horse-battery-staple" },
    answer: signedIn,
    fails: ["admin_token_needed", "admin_setup_needed", "field_too_long", ...limited],
  },
  "DELETE /session": {
    summary: "Signs out: takes the cookie away",
    answer: z.object({ signed_in: z.literal(false) }),
    fails: ["admin_origin_forbidden"],
  },
  "POST /setup": {
    summary: "Chooses the operator's token at the first start, and signs in",
    description: `The code is in the link that the log shows; it works once and for 15 minutes. ${SETS_COOKIE}`,
    body: sessionSchemas.setup,
    example: { code: "q3Zt5mB8xK1v", token: "correct-horse-battery-staple" },
    answer: signedIn,
    fails: ["setup_code_rejected", "field_too_long", ...limited],
  },
} as const satisfies Readonly<Record<`${Route["method"]} /${string}`, RouteDoc>>;
