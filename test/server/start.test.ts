import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { deadline, postJson } from "../support/http.ts";
import { type Environment, launch, type StartedProcess, startProcess } from "../support/process.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

const WAIT_MS = 15_000;
const TEST_MS = 30_000;
const CANARY = "sk-canary-7f3a";

let folder: string;
const running = new Set<{ close(): Promise<void> }>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-start-"));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(async () => {
  await Promise.all([...running].map((one) => one.close()));
  running.clear();
});

function kept<T extends { close(): Promise<void> }>(one: T): T {
  running.add(one);
  return one;
}

/** Runs until it gives up by itself. */
async function refusedStart(env: Environment, cwd?: string) {
  const started = kept(launch(env, cwd === undefined ? {} : { cwd }));
  const code = await deadline(started.exit, WAIT_MS, "the process ends");
  const stderr = started.stderr();
  return { code, stderr, lines: stderr.trimEnd().split("\n"), output: started.output.join("\n") };
}

/** So that no start asks for one. */
const ADMIN_TOKEN = "admin-0123456789-0123456789";
const isWarning = (line: string) => line.includes('"level":40');

async function endedInOrder(started: StartedProcess): Promise<void> {
  started.signal("SIGTERM");
  await deadline(started.exit, WAIT_MS, "the process ends");
}

const WRONG: Environment = {
  PORT: `${CANARY}-port`,
  ROUTE: `/${CANARY}?`,
  MAX_BODY_BYTES: "12",
  SHUTDOWN_SECONDS: "-1",
  API_KEY: `${CANARY}\u{1f511}`,
  OPENAI_URL: `ftp://${CANARY}:${CANARY}@upstream.test`,
  PROXY: `gopher://${CANARY}`,
  MAX_TOKENS: "1e3",
  MINUTE_LIMIT: "many",
  TRUSTED_PROXIES: `loopback, ${CANARY}`,
  ALLOWED_IPS: "10.0.0.0/99",
  LOG_LEVEL: CANARY,
  METRICS_TOKEN_FILE: `/nonexistent/${CANARY}`,
};
const MISTAKEN = Object.keys(WRONG).map(
  (name) => ({ PROXY: "OPENAI_PROXY", METRICS_TOKEN_FILE: "METRICS_TOKEN" })[name] ?? name,
);
/** Kinds of values that no number setting takes. */
const NOT_NUMBERS: readonly string[] = ["-1", "1e999", "٣", "5 0", "0x10", "1\n2", "9".repeat(400)];
const NUMBERS = [
  "PORT",
  "MAX_BODY_BYTES",
  "SHUTDOWN_SECONDS",
  "MAX_TOKENS",
  "MAX_TOKENS_LIMIT",
  "UPSTREAM_CONNECT_SECONDS",
  "UPSTREAM_ANSWER_SECONDS",
  "UPSTREAM_FIRST_TOKEN_SECONDS",
  "UPSTREAM_IDLE_SECONDS",
  "UPSTREAM_TOTAL_SECONDS",
  "MAX_ANSWER_BYTES",
  "MAX_EVENT_BYTES",
  "RETRIES",
  "SECOND_LIMIT",
  "MINUTE_LIMIT",
  "HOUR_LIMIT",
  "DAY_LIMIT",
  "STREAM_LIMIT",
  "METRICS_PORT",
];

describe("wrong settings", () => {
  test.each([
    ["en_US.UTF-8", "en"],
    ["zh_CN.UTF-8", "zh_CN"],
    ["zh_HK", "zh_TW"],
    ["ru_RU.UTF-8", "ru_RU"],
  ])(
    "end the start with 78 and are all listed in the language of LANG=%s",
    async (LANG, file) => {
      const { code, stderr, lines, output } = await refusedStart({ ...WRONG, LANG });
      const locale = JSON.parse(
        await readFile(new URL(`../../locales/${file}.json`, import.meta.url), "utf8"),
      );
      expect(code).toBe(78);
      expect(lines[0]).toBe(locale.config.heading);
      expect(lines.slice(1).map((line) => line.trim().split(":")[0])).toEqual(
        expect.arrayContaining(MISTAKEN),
      );
      expect(lines).toHaveLength(MISTAKEN.length + 1);
      expect(stderr).toContain(locale.config_problem.http_url);
      expect(output).not.toContain(CANARY);
      expect(output).not.toMatch(/\n\s+at |node:internal|\{\{|config_problem/);
    },
    TEST_MS,
  );

  test(
    "of every kind are named for every number, without a stack or the value",
    async () => {
      // each start gives every number another kind, so that in the end each had several
      const envs = [0, 1, 2].map((turn) =>
        Object.fromEntries(
          NUMBERS.map((name, at) => [name, NOT_NUMBERS[(at + turn) % NOT_NUMBERS.length] ?? ""]),
        ),
      );
      for (const { code, stderr, lines } of await Promise.all(
        envs.map((env) => refusedStart(env)),
      )) {
        expect(code).toBe(78);
        expect(
          lines
            .slice(1)
            .map((line) => line.trim().split(":")[0])
            .sort(),
        ).toEqual(NUMBERS.toSorted());
        expect(stderr).not.toMatch(/\n\s+at |1e999|٣|0x10|9{20}/);
      }
    },
    TEST_MS,
  );

  test("that contradict each other are named", async () => {
    const { code, stderr } = await refusedStart({ MAX_TOKENS: "500", MAX_TOKENS_LIMIT: "400" });
    expect(code).toBe(78);
    expect(stderr).toMatch(/MAX_TOKENS: must not be greater than MAX_TOKENS_LIMIT/);
  });
});

describe("an .env file in the working directory", () => {
  test(
    "is read, also with a byte order mark, and the environment wins over it",
    async () => {
      const cwd = await mkdtemp(join(folder, "env-"));
      await writeFile(
        join(cwd, ".env"),
        `\ufeffSHARED_KEY=token\nAPI_KEY=${CANARY}\nROUTE=first\n`,
      );
      const parley = kept(await startProcess({ ROUTE: "second" }, { cwd }));
      const reply = await postJson(`${parley.url}/second`, { user_content: "hi" });
      expect(reply).toMatchObject({ status: 401, json: { data: { error: "token_needed" } } });
    },
    TEST_MS,
  );

  test(
    "that is damaged ends the start with 78, the file and the line",
    async () => {
      const cwd = await mkdtemp(join(folder, "env-"));
      await writeFile(join(cwd, ".env"), `ROUTE=api\nAPI_KEY: ${CANARY}\n`);
      const yaml = await refusedStart({}, cwd);
      await writeFile(join(cwd, ".env"), Buffer.from("PORT=7431\n", "utf16le"));
      const utf16 = await refusedStart({}, cwd);
      expect([yaml.code, utf16.code]).toEqual([78, 78]);
      expect(yaml.stderr).toMatch(/\.env: line 2/);
      expect(utf16.stderr).toMatch(/\.env: .*UTF-8/);
      expect(yaml.output).not.toContain(CANARY);
    },
    TEST_MS,
  );

  test(
    "is not asked for where there is none",
    async () => {
      const parley = kept(await startProcess({}));
      await endedInOrder(parley);
      expect(parley.stderr()).toBe("");
    },
    TEST_MS,
  );
});

describe("secrets", () => {
  let upstream: ScriptedUpstream;
  beforeAll(async () => {
    upstream = await startUpstream();
  });
  afterAll(() => upstream.close());

  test(
    "are read from the file that <NAME>_FILE names, its last line end taken off",
    async () => {
      const path = join(folder, "key");
      await writeFile(path, `${CANARY}\n`);
      const parley = kept(await startProcess({ OPENAI_URL: upstream.url, API_KEY_FILE: path }));
      const reply = await postJson(parley.url, { user_content: "hello" });
      expect(reply.status).toBe(200);
      expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${CANARY}`);
      await endedInOrder(parley);
      expect(parley.output.join("\n")).not.toContain(CANARY);
    },
    TEST_MS,
  );

  test(
    "given twice, or in a file that can't be read, end the start",
    async () => {
      const path = join(folder, "other-key");
      await writeFile(path, `${CANARY}-b`);
      const twice = await refusedStart({ API_KEY: `${CANARY}-a`, API_KEY_FILE: path });
      const missing = await refusedStart({ API_KEY_FILE: join(folder, CANARY) });
      expect([twice.code, missing.code]).toEqual([78, 78]);
      expect(twice.stderr).toContain("API_KEY_FILE");
      expect(missing.stderr).toContain("API_KEY_FILE");
      expect(twice.output + missing.output).not.toContain(CANARY);
    },
    TEST_MS,
  );
});

describe("a shared key that anyone may spend", () => {
  test(
    "is warned of, naming the settings that help",
    async () => {
      const parley = kept(
        await startProcess({ API_KEY: CANARY, LANG: "ru_RU", CHATS_ACCESS: "open" }),
      );
      expect(await parley.waitForLog(/"warning":"open_chats"/)).toContain("CHATS_ACCESS");
      const line = await parley.waitForLog(/"level":40/);
      expect(line).toMatch(/MINUTE_LIMIT.*ALLOWED_IPS/);
      expect(JSON.parse(line)).toMatchObject({ warning: "open_shared_key" });
      expect(line).not.toContain(CANARY);
    },
    TEST_MS,
  );

  test(
    "is not warned of where a limit or an allow-list stands, or no key",
    async () => {
      const guarded = { DAY_LIMIT: "9", ALLOWED_IPS: "10.0.0.0/8", SHARED_KEY: "token" };
      const envs = [
        ...Object.entries(guarded).map(([name, value]) => ({ API_KEY: CANARY, [name]: value })),
        {},
      ];
      const started = await Promise.all(
        envs.map(async (env) => kept(await startProcess({ ADMIN_TOKEN, ...env }))),
      );
      await Promise.all(started.map(endedInOrder));
      expect(started.flatMap(({ output }) => output.filter(isWarning))).toEqual([]);
    },
    TEST_MS,
  );
});

describe("LANG in words", () => {
  // LC_ALL as the image and the npm scripts set it: Node itself reads LANG before Parley runs
  const inWords = (LANG: string) => ({ ADMIN_TOKEN, LANG, LC_ALL: "C.UTF-8" });

  test(
    "names one of the languages, or is warned of once",
    async () => {
      const [known, unknown] = await Promise.all(
        ["Traditional Chinese", "Klingon"].map(async (one) =>
          kept(await startProcess(inWords(one))),
        ),
      );
      const reply = await postJson(`${known?.url}/nothing`, undefined, { method: "GET" });
      expect(reply.headers["content-language"]).toBe("zh-TW");
      expect(await unknown?.waitForLog(/LANG/)).toMatch(/"level":40.*zh_CN/);
      for (const one of [known, unknown]) await endedInOrder(one as StartedProcess);
      const warnings = [known, unknown].map((one) => one?.output.filter(isWarning).length);
      expect(warnings).toEqual([0, 1]);
    },
    TEST_MS,
  );
});

describe("listening", () => {
  test(
    "on a port in use is refused with a clear line, not a stack on stderr",
    async () => {
      const first = kept(await startProcess({}));
      const second = await refusedStart({ PORT: String(first.port) });
      expect(second.code).toBe(1);
      expect(second.output).toMatch(/"code":"EADDRINUSE".*"cannot listen"/);
      expect(second.stderr).toBe("");
    },
    TEST_MS,
  );

  test(
    "on a metrics port in use is refused, too",
    async () => {
      const first = kept(await startProcess({}));
      const second = await refusedStart({ METRICS_PORT: String(first.port) });
      expect(second.code).toBe(1);
      expect(second.output).toMatch(/EADDRINUSE/);
    },
    TEST_MS,
  );

  test(
    "on :: is reached over IPv4 and IPv6",
    async () => {
      const { port } = kept(await startProcess({ HOST: "::" }));
      for (const host of ["127.0.0.1", "[::1]"]) {
        const reply = await postJson(`http://${host}:${port}/healthz`, undefined, {
          method: "GET",
        });
        expect([host, reply.status]).toEqual([host, 200]);
      }
      const whoami = await postJson(`http://127.0.0.1:${port}/whoami`, undefined, {
        method: "GET",
      });
      expect(whoami.json).toMatchObject({ address: "127.0.0.1", peer: "127.0.0.1" });
    },
    TEST_MS,
  );
});
