/** Secrets that nothing else looks like, a stand-in that quotes all of them, and the search for them. */
import { expect } from "vitest";
import { canary } from "../../support/faults.ts";
import { says } from "../../support/refusals.ts";
import { type Behaviour, goodHeaders, type RecordedRequest } from "../../support/upstream.ts";

export const operatorKeys = ["sk-Kq7Zr2Wm9Xb4Tn6Vp1Ly", "second~Jd5Hf8Gs3Rk0Cw7"] as const;
export const ownKey = "sk-proj-Uo4Ne1Bi9Qa6Ex3Mz8Sv";
export const accessToken = "open-Fy2Tg6Lh0Pj";
/** What an operator keeps secret, all of it set in every scene. */
export const settings = {
  API_KEY: operatorKeys.join(","),
  ACCESS_TOKEN: accessToken,
  METRICS_TOKEN: "metrics-Dw8Kx5Cv1Bn",
};
/** Nobody has issued it; it looks like one that was. */
const token = "parley-Zt3Yb7Mq1Wn5Rc9Xk2Vd6Hp0";

export const secrets = [...operatorKeys, ownKey, accessToken, settings.METRICS_TOKEN, token];
const quoted = secrets.join(" ");

/** An error that has them in every field, and in names of fields. */
export const spilling = (type: string, code: string | number | null) => ({
  error: {
    message: `${canary}: ${quoted}`,
    type,
    param: quoted,
    code,
    [ownKey]: { [operatorKeys[0]]: secrets },
  },
});

const headers = {
  "x-request-id": operatorKeys[0],
  "x-error": quoted,
  "openai-organization": quoted,
  "set-cookie": `session=${operatorKeys[1]}`,
  location: `http://127.0.0.1:9/${quoted}`,
  "www-authenticate": `Bearer ${quoted}`,
};

export interface SpillOptions {
  readonly type?: string;
  readonly code?: string | number | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal with the secrets in its status text, headers, body and trailers. */
export function spill(status: number, options: SpillOptions = {}): Behaviour {
  const { type = "invalid_request_error", code = null, headers: more = {} } = options;
  const body = JSON.stringify(spilling(type, code));
  return {
    name: ["refused with", status, code, ...Object.entries(more).flat()].join(" ").trim(),
    run: ({ response }) => {
      const all = { "content-type": "application/json", trailer: "x-trace", ...headers, ...more };
      response.writeHead(status, `No ${quoted}`, all);
      response.addTrailers({ "x-trace": quoted });
      response.end(body);
    },
  };
}

/** An error in a good answer's place, in the form that was asked for. */
export const spillIn200 = (code: string | number | null): Behaviour => ({
  ...says(200, spilling("server_error", code), headers),
  name: `200 with the error ${code ?? "alone"}`,
});

/** Headers of a good answer, and the secrets in all that may be anything. */
export const spillingHeaders = (request: RecordedRequest, contentType: string) => ({
  ...goodHeaders(request, contentType),
  ...headers,
});

/** As many characters of a secret, beyond its public beginning, must never be seen. */
const RUN = 8;
const PUBLIC = /^(sk-(proj-)?|parley-)/;

export function expectNoSecret(text: string, where: string, more: readonly string[] = []): void {
  const lower = text.toLowerCase();
  for (const secret of [...secrets, ...more]) {
    const own = secret.replace(PUBLIC, "").toLowerCase();
    for (let at = 0; at + RUN <= own.length; at += 1) {
      const run = own.slice(at, at + RUN);
      if (lower.includes(run)) expect.fail(`${where} has ${run} of ${secret}: ${text}`);
    }
  }
}
