import { type Command, fieldsOf, type Given, type Options, type Terminal } from "../command.ts";
import type { ShownToken } from "../shapes.ts";
import { facts, json, table } from "../table.ts";

const create: Options = {
  name: { value: "NAME", help: "who it is for (required)" },
  comment: { value: "TEXT", help: "a note for yourself" },
  expires: { value: "WHEN", help: "2027-01-31 (UTC), a time with its zone, or 12h, 30d, 4w" },
  models: { value: "A,B", help: "the only models it may ask for" },
  "requests-per-day": { value: "N", help: "quota of calls a day (UTC)" },
  "requests-per-month": { value: "N", help: "quota of calls a month" },
  "tokens-per-day": { value: "N", help: "quota of model tokens a day" },
  "tokens-per-month": { value: "N", help: "quota of model tokens a month" },
  "money-per-day": { value: "USD", help: "quota of US dollars a day, such as 2.50" },
  "money-per-month": { value: "USD", help: "quota of US dollars a month" },
  "second-limit": { value: "N", help: "calls in any second" },
  "minute-limit": { value: "N", help: "calls in any minute" },
  "hour-limit": { value: "N", help: "calls in any hour" },
  "day-limit": { value: "N", help: "calls in any 24 hours" },
  "upstream-key": {
    value: "KEY",
    help: "pay its calls with this OpenAI key; - reads it from standard input",
  },
};

const tokenColumns = {
  id: "ID",
  name: "NAME",
  state: "STATE",
  hint: "ENDS IN",
  created_at: "CREATED",
  expires_at: "EXPIRES",
  models: "MODELS",
  comment: "COMMENT",
};

export const tokenCommands: readonly Command[] = [
  {
    name: "token create",
    summary: "Makes a token and shows it, this once.",
    operands: [],
    options: create,
    notes: [
      "Without --upstream-key the key is taken from PARLEY_UPSTREAM_KEY, if that is set:",
      "neither way leaves it in the shell's history. SECRET_KEY must be set to store it.",
    ],
    async run(given, terminal, { withDesk }) {
      const fields = { ...fieldsOf(given), ...(await upstreamKey(given, terminal)) };
      const made = await withDesk(({ admin }) => admin.tokens.create(fields));
      if (given.json) return terminal.write(json(made));
      const { token, ...rest } = made;
      await terminal.write(
        `${token}\n\nThis is the token. It is not shown again.\n\n${facts(rest)}`,
      );
    },
  },
  {
    name: "token list",
    summary: "Lists all tokens, oldest first.",
    operands: [],
    options: {},
    async run(given, terminal, { withDesk }) {
      const tokens = await withDesk(async ({ admin }) => {
        const all: ShownToken[] = [];
        for (let after: string | null = ""; after !== null; ) {
          const page = await admin.tokens.list(after === "" ? {} : { after });
          all.push(...page.tokens);
          after = page.next;
        }
        return all;
      });
      await terminal.write(given.json ? json(tokens) : table(tokenColumns, tokens));
    },
  },
  {
    name: "token show",
    summary: "Shows a token and what is used of its quotas.",
    operands: ["ID"],
    options: {},
    async run(given, terminal, { withDesk }) {
      const [id = ""] = given.operands;
      const shown = await withDesk(({ admin }) => admin.tokens.show(id));
      if (given.json) return terminal.write(json(shown));
      const { quotas, ...token } = shown;
      await terminal.write(facts(token));
      if (quotas.length === 0) return;
      const columns = { quota: "QUOTA", period: "PER", limit: "LIMIT", used: "USED" };
      await terminal.write(`\n${table({ ...columns, resets_at: "RESETS" }, quotas)}`);
    },
  },
  {
    name: "token revoke",
    summary: "Ends a token at once, also for calls to a running server.",
    operands: ["ID"],
    options: {},
    async run(given, terminal, { withDesk }) {
      const [id = ""] = given.operands;
      const revoked = await withDesk(({ admin }) => admin.tokens.revoke(id));
      await terminal.write(given.json ? json(revoked) : facts(revoked));
    },
  },
  {
    name: "token reseal",
    summary: "Encrypts all stored upstream keys with the first of SECRET_KEY.",
    operands: [],
    options: {},
    notes: [
      "To change SECRET_KEY: put the new one before the old (new,old), restart the server,",
      "run this, then take the old one away.",
    ],
    async run(given, terminal, { withDesk }) {
      const done = await withDesk(({ admin }) => admin.tokens.reseal());
      await terminal.write(given.json ? json(done) : `${done.resealed} keys encrypted again\n`);
    },
  },
];

async function upstreamKey({ values }: Given, terminal: Terminal) {
  if (values["upstream-key"] === "-") return { upstream_key: await terminal.readInput() };
  const { PARLEY_UPSTREAM_KEY: key = "" } = terminal.env;
  return values["upstream-key"] === undefined && key !== "" ? { upstream_key: key } : {};
}
