/** Whoever sends what /openapi.json prints gets an answer. */
import { beforeAll, describe, expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { OWN_KEY, type Scene, startScene } from "../../support/scene.ts";
import { createCheck } from "./schemas.ts";
import { exampleOf, type OpenAPI, operationsIn, readOpenAPI, takesJson } from "./support.ts";

/** As the example of a sign-in. */
const ADMIN_TOKEN = "correct-horse-battery-staple";
const MODEL = "gpt-4.1-mini";
const SETTINGS = { ROUTE: "api", ADMIN_TOKEN, MODEL, MAX_TOKENS: "5", MAX_TOKENS_LIMIT: "7" };

let scene: Scene;
let document: OpenAPI;
let token = "";
let id = "";
beforeAll(async () => {
  scene = await startScene(SETTINGS);
  document = await readOpenAPI(scene.parley.origin);
  const asAdmin = (path: string, body: unknown) =>
    postJson(`${scene.parley.origin}/admin${path}`, body, { headers: bearer(ADMIN_TOKEN) });
  await asAdmin("/prices/import", { default: true });
  await asAdmin("/prices", { model: "gpt-image-1", per_image: "0.04" });
  await asAdmin("/prices", { model: "gpt-4o-mini-tts", per_minute: "0.015" });
  const made = await asAdmin("/tokens", { name: "examples" });
  token = String(Reflect.get(Object(made.json), "token"));
  const { origin } = scene.parley;
  await postJson(`${origin}/v1/conversations`, {}, { headers: bearer(token) });
  const other = await asAdmin("/tokens", { name: "to be changed" });
  id = String(Reflect.get(Object(other.json), "id"));
});

type Called = ReturnType<typeof operationsIn>[number];

const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` });
/** The code of `/admin/setup` is nobody's but the log's. */
const withBody = () =>
  operationsIn(document).filter(
    ({ operation, path }) => takesJson(operation) && path !== "/admin/setup",
  );
const needsAdmin = ({ operation }: Called) =>
  JSON.stringify(operation.security).includes('"admin"');
const needsOwnKey = ({ operation }: Called) =>
  JSON.stringify(operation.responses).includes("own_key_needed");
const takesVisitors = ({ operation }: Called) => JSON.stringify(operation.security).includes("{}");

/** A name that an earlier round has taken is free again once that token is revoked. */
async function freeNames() {
  const { origin } = scene.parley;
  const headers = bearer(ADMIN_TOKEN);
  const listed = await postJson(`${origin}/admin/tokens`, undefined, { method: "GET", headers });
  for (const one of Object(listed.json).tokens) {
    if (one.name !== "Ann") continue;
    await postJson(`${origin}/admin/tokens/${one.id}`, undefined, { method: "DELETE", headers });
  }
}

/** The same for a group, which has no tokens here. */
async function freeGroup() {
  const { origin } = scene.parley;
  const headers = bearer(ADMIN_TOKEN);
  await postJson(`${origin}/admin/groups/class`, undefined, { method: "DELETE", headers });
}

/** The path as printed, too, with an ID that there is. */
function pathOf({ path, operation: { parameters = [] } }: Called): string {
  return path
    .replace(/^\/admin(.*)\{id\}/, `/admin$1${id}`)
    .replaceAll(/\{(\w+)\}/g, (_all, name) => {
      const parameter = parameters.find((one) => one.name === name);
      return encodeURIComponent(Reflect.get(Object(parameter?.schema), "example"));
    });
}

async function send(one: Called, headers: Record<string, string>, body = exampleOf(one.operation)) {
  const method = one.method.toUpperCase();
  if (one.path === "/admin/tokens") await freeNames();
  if (one.path === "/admin/upstreams") {
    const added = `${scene.parley.origin}/admin/upstreams/ollama`;
    await postJson(added, undefined, { method: "DELETE", headers: bearer(ADMIN_TOKEN) });
  }
  if (one.path === "/admin/groups") await freeGroup();
  return postJson(scene.parley.origin + pathOf(one), body, { method, headers });
}

const nameOf = ({ method, path }: Called) => `${method} ${path}`;
const schemaKeys = ({ path, method }: Called) => [
  ...["paths", path, method, "requestBody", "content", "application/json", "schema"],
];

describe("each example of /openapi.json", () => {
  test.each([
    ["a caller's own key", () => OWN_KEY, () => true],
    ["a token", () => token, (one: Called) => !needsOwnKey(one)],
    ["no credential", () => null, takesVisitors],
  ])("succeeds as printed with %s", async (_who, credential, isMeant) => {
    const all = withBody().filter(isMeant);
    expect(all.length).toBeGreaterThan(2);
    for (const one of all) {
      const given = needsAdmin(one) ? ADMIN_TOKEN : credential();
      const { status, text } = await send(one, given === null ? {} : bearer(given));
      expect([200, 201], `${nameOf(one)} ${text}`).toContain(status);
    }
  });

  test("fits its schema, asks the operator's model and brings no key and no bound of 0", () => {
    const check = createCheck(document);
    for (const one of withBody()) {
      const example = exampleOf(one.operation);
      expect(check(schemaKeys(one), example), nameOf(one)).toBeNull();
      expect(JSON.stringify(example), nameOf(one)).not.toMatch(/api_key|:0[,}]|"string"/);
    }
    const ofModel = withBody().filter(({ operation }) =>
      JSON.stringify(exampleOf(operation)).includes(MODEL),
    );
    expect(ofModel.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["/v1/chat/completions", "/v1/responses", "/chat_complete", "/api"]),
    );
  });

  test("is refused without any field that its schema requires, and only then", async () => {
    const check = createCheck(document);
    const all = withBody().flatMap((one) =>
      Object.keys(Object(exampleOf(one.operation))).map((field) => ({ one, field })),
    );
    expect(all.length).toBeGreaterThan(25);
    for (const { one, field } of all) {
      const { [field]: _left, ...rest } = Object(exampleOf(one.operation));
      const fits = check(schemaKeys(one), rest) === null;
      const credential = needsAdmin(one) ? ADMIN_TOKEN : OWN_KEY;
      const { status, text } = await send(one, bearer(credential), rest);
      const what = `${nameOf(one)} without ${field}`;
      expect(`${what} ${status < 300}`, text).toBe(`${what} ${fits}`);
      if (!fits) expect(text, what).toContain(`"${field}"`);
    }
  });
});

describe("an example of /openapi.json", () => {
  test.each([{ API_KEY: "" }, { SHARED_KEY: "token" }])(
    "names the caller's key where none is shared: %j",
    async (settings) => {
      const { parley } = await startScene({ ...settings, ROUTE: "api" });
      const { paths } = await readOpenAPI(parley.origin);
      const operation = paths["/api"]?.post;
      const example = operation && exampleOf(operation);
      expect(example).toMatchObject({ api_key: "YOUR_KEY" });
      const own = { ...Object(example), api_key: OWN_KEY };
      expect(await postJson(`${parley.origin}/api`, own)).toMatchObject({ status: 200 });
    },
  );

  test("of an answer fits the schema of the answer", () => {
    const check = createCheck(document);
    let checked = 0;
    for (const { path, method, operation } of operationsIn(document)) {
      const keys = ["paths", path, method, "responses", "200", "content", "application/json"];
      const content = Reflect.get(Object(operation.responses["200"]), "content");
      const { example } = Object(Reflect.get(Object(content), "application/json"));
      if (example === undefined) continue;
      expect(check([...keys, "schema"], example), path).toBeNull();
      checked += 1;
    }
    expect(checked).toBeGreaterThan(10);
  });
});

describe("the schemas of /v1", () => {
  const asked = [
    ["/v1/chat/completions", { model: "m", messages: [{ role: "user", content: "hi" }] }],
    ["/v1/completions", { model: "m", prompt: "hi" }],
    ["/v1/responses", { model: "m", input: "hi" }],
    ["/v1/embeddings", { model: "m", input: ["hi", "there"] }],
    ["/v1/moderations", { input: [{ type: "text", text: "hi" }] }],
    ["/chat", { model: "m", messages: [] }],
  ] as const;

  test.each(asked)("%s names what is required, and takes other fields too", async (path, body) => {
    const check = createCheck(document);
    const keys = ["paths", path, "post", "requestBody", "content", "application/json", "schema"];
    const more = { ...body, a_field_of_tomorrow: { any: [1] } };
    expect(check(keys, more)).toBeNull();
    expect(check(keys, {})).not.toBeNull();
    for (const field of Object.keys(body)) {
      expect(check(keys, { ...body, [field]: undefined }), field).toContain(field);
    }
    const headers = bearer(OWN_KEY);
    const reply = await postJson(scene.parley.origin + path, more, { headers });
    expect(reply.status, reply.text).toBe(200);
    expect(scene.upstream.requests.at(-1)?.json).toEqual(more);
  });

  test.each([
    { model: "m", previous_response_id: "resp_1" },
    { model: "m", conversation: "conv_1" },
    { prompt: { id: "pmpt_1" } },
  ])("a response may continue what the service stores: %j", async (body) => {
    const headers = bearer(OWN_KEY);
    await postJson(`${scene.parley.origin}/v1/responses`, body, { headers });
    expect(scene.upstream.requests.at(-1)?.json).toEqual(body);
  });
});
