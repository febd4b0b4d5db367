/** What /openapi.json says of bodies and answers, beside what a server takes and answers. */
import { describe, expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { OWN_KEY, startScene } from "../../support/scene.ts";
import { built } from "../pages/support.ts";
import { createCheck, refsIn, resolveRef } from "./schemas.ts";
import {
  exampleOf,
  type OpenAPI,
  type Operation,
  operationsIn,
  readOpenAPI,
  takesJson,
} from "./support.ts";

/** As the example of a sign-in. */
const ADMIN_TOKEN = "correct-horse-battery-staple";
const METRICS_TOKEN = "metrics-0123456789";
const SETTINGS = { ROUTE: "api", ADMIN_TOKEN, METRICS_TOKEN };
const ROUTE_NAMES = /\{(\w+)\}/g;

interface Called {
  readonly name: string;
  readonly operation: Operation;
  readonly keys: readonly string[];
}

/** Makers first, then readers, then what deletes; what deletes everything last. */
function inOrder(document: OpenAPI): Called[] {
  const all = operationsIn(document).map(({ path, method, operation }) => ({
    name: `${method.toUpperCase()} ${path.replaceAll(ROUTE_NAMES, ":$1")}`,
    operation,
    keys: ["paths", path, method],
  }));
  const rank = ({ name }: Called) => {
    if (name === "DELETE /conversations") return 3;
    return ["POST", "PUT", "PATCH"].includes(name.split(" ")[0] ?? "")
      ? 0
      : Number(/^DEL/.test(name)) + 1;
  };
  return all.toSorted((a, b) => rank(a) - rank(b));
}

/** /openapi.json has no example of a file. */
const TAKES_FORM = /^POST \/v1\/(?:files|audio\/trans\w+)$/;
const FORM = { "content-type": "multipart/form-data; boundary=x" };

async function start() {
  const scene = await startScene(SETTINGS);
  const { origin } = scene.parley;
  const document = await readOpenAPI(origin);
  const seen = {
    ...{ conversation_id: "new", id: "none", model: "gpt-4o-mini" },
    upstreams: "ollama",
    groups: "class",
    file: built.icon,
  };
  let token = "";
  const credential = (name: string) => {
    if (name === "GET /metrics") return METRICS_TOKEN;
    if (name === "GET /usage" || name === "GET /data/week") return token;
    return /\/admin\/|POST \/system/.test(name) ? ADMIN_TOKEN : OWN_KEY;
  };
  const call = async ({ name, operation }: Called, body: unknown = exampleOf(operation)) => {
    const [method = "", path = ""] = name.split(" ");
    const filled = path.replaceAll(
      /(\w+)\/:(\w+)(?:\{[^}]*\})?/g,
      // a name is one of what stands before it
      (_all, of, key) => `${of}/${Reflect.get(seen, key === "name" ? of : key) || "some"}`,
    );
    const authorization = `Bearer ${credential(name)}`;
    const headers = TAKES_FORM.test(name) ? { authorization, ...FORM } : { authorization };
    const reply = await postJson(origin + filled, body, { method, headers });
    const made = Object(reply.json);
    if (name === "POST /ask/:conversation_id" && reply.status === 200) {
      seen.conversation_id = made.conversation_id;
    }
    if (/^POST \/admin\/tokens(\/:id\/rotate)?$/.test(name) && reply.status < 300) {
      seen.id = made.id;
      token = made.token;
    }
    return reply;
  };
  return { ...scene, document, call, check: createCheck(document) };
}

/** The same with another type in its first field. */
function spoiled(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(spoiled);
  const [[first, given] = ["", null]] = Object.entries(Object(body));
  const isObject = typeof given === "object" && !Array.isArray(given);
  return { ...Object(body), [first]: isObject ? 5 : { no: "such type" } };
}

const bodyKeys = ({ keys }: Called) => [
  ...keys,
  "requestBody",
  "content",
  "application/json",
  "schema",
];

describe("/openapi.json", () => {
  test("has nothing that refers to nothing", async () => {
    const { document } = await start();
    const refs = refsIn(document);
    expect(refs.length).toBeGreaterThan(50);
    for (const ref of refs) expect(resolveRef(document, ref), ref).toBeTypeOf("object");
  });

  test("refuses a field of another type, and so does the route", async () => {
    const { document, check, call } = await start();
    for (const one of inOrder(document)) {
      if (!takesJson(one.operation)) continue;
      const body = spoiled(exampleOf(one.operation));
      expect(check(bodyKeys(one), body), one.name).not.toBeNull();
      const { status, text } = await call(one, body);
      expect(`${one.name} ${status}`, text).toBe(`${one.name} 400`);
      expect(
        check(
          [...one.keys, "responses", "400", "content", "application/json", "schema"],
          JSON.parse(text),
        ),
        text,
      ).toBeNull();
    }
  });

  test("describes what each route answers to a good call", async () => {
    const { document, check, call } = await start();
    // the code of /admin/setup is in the log alone
    for (const one of inOrder(document).filter(({ name }) => name !== "POST /admin/setup")) {
      const { responses } = one.operation;
      const { status, headers, text, json } = await call(one);
      const isElsewhere = "101" in responses || "308" in responses;
      if (!isElsewhere) expect(status, `${one.name} ${text}`).toBeLessThan(300);
      expect(Object.keys(responses), `${one.name} ${text}`).toContain(`${status}`);
      const type = String(headers["content-type"]).split(";", 1)[0] ?? "";
      const described = [...one.keys, "responses", `${status}`, "content", type];
      const found = resolveRef(document, `#/${described.map(pointed).join("/")}`);
      expect(found, `${one.name} ${type}`).toBeTypeOf("object");
      if (json === undefined || type !== "application/json") continue;
      expect(check([...described, "schema"], json), `${one.name} ${text}`).toBeNull();
    }
  });
});

const pointed = (key: string) =>
  encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1"));
