/** Who uses the demo's server. */

/** A model that is asked for, and what of it is asked where. */
export interface Habit {
  readonly model: string;
  readonly dialect: "envelope" | "openai" | "anthropic" | "chats" | "completion" | "ask";
  readonly weight: number;
}

export interface Person {
  readonly name: string;
  /** Fields of the token beside its name, as operators give them. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** How much of all calls are theirs. */
  readonly weight: number;
  readonly habits: readonly Habit[];
  /** Asks at any hour, and on weekends as on other days. */
  readonly isMachine?: true;
}

const habit = (model: string, dialect: Habit["dialect"], weight = 1): Habit => ({
  model,
  dialect,
  weight,
});

/** Their quotas of money are set from what they have used, once the week is written. */
export const groups = {
  support: { name: "Support", comment: "Answers to customers" },
  development: { name: "Разработка", comment: "Код и проверки" },
  research: { name: "研究组", comment: "数据与实验" },
} as const;

/** Whose token is shown at the start. */
export const SHOWN_PERSON = "Alice Moreau";

export const people: readonly Person[] = [
  {
    name: "support-bot",
    fields: { group: groups.support.name, comment: "Website chat", concurrency: 20 },
    weight: 24,
    habits: [habit("gpt-5.4-mini", "openai", 6), habit("smart", "openai")],
    isMachine: true,
  },
  {
    name: SHOWN_PERSON,
    fields: {
      group: groups.support.name,
      comment: "Laptop and phone",
      requests_per_day: 200,
      tokens_per_day: 220_000,
      money_per_month: "8",
      minute_limit: 20,
    },
    weight: 9,
    habits: [
      habit("gpt-5.4-mini", "envelope", 3),
      habit("gpt-5.4", "openai", 2),
      habit("claude-sonnet-5-5", "anthropic", 2),
    ],
  },
  {
    name: "Jonas Weber",
    fields: { group: groups.support.name, minute_limit: 10 },
    weight: 5,
    habits: [habit("gpt-5.4-mini", "chats", 2), habit("gpt-5.4", "openai")],
  },
  {
    name: "客服機器人",
    fields: { group: groups.support.name, comment: "LINE 官方帳號", tokens_per_minute: 60_000 },
    weight: 11,
    habits: [habit("gpt-6-luna", "openai", 4), habit("gpt-5.4-mini", "envelope")],
    isMachine: true,
  },
  {
    name: "Анна Смирнова",
    fields: { group: groups.development.name, comment: "Claude Code" },
    weight: 9,
    habits: [habit("claude-sonnet-5-5", "anthropic", 5), habit("claude-haiku-5-5", "anthropic", 2)],
  },
  {
    name: "Дмитрий Орлов",
    fields: { group: groups.development.name, money_per_month: "60" },
    weight: 7,
    habits: [habit("gpt-5.6", "openai", 3), habit("smart", "openai", 2)],
  },
  {
    name: "ci-review",
    fields: { group: groups.development.name, comment: "Pull requests", hour_limit: 60 },
    weight: 6,
    habits: [habit("o4-mini", "openai", 3), habit("gpt-5.6", "openai")],
  },
  {
    name: "李明",
    fields: { group: groups.research.name, comment: "实验室工作站" },
    weight: 6,
    habits: [habit("gpt-5.4", "ask", 2), habit("claude-haiku-5-5", "openai")],
  },
  {
    name: "王芳",
    fields: { group: groups.research.name, requests_per_day: 100 },
    weight: 4,
    habits: [habit("gpt-5.4-mini", "ask", 2), habit("gpt-5.4", "completion")],
  },
  {
    name: "语料索引",
    fields: { group: groups.research.name, models: ["text-embedding-3-small"] },
    weight: 8,
    habits: [habit("text-embedding-3-small", "openai")],
    isMachine: true,
  },
  {
    name: "hourly-digest",
    fields: { comment: "Summaries of the ticket queue", money_per_day: "3" },
    weight: 4,
    habits: [habit("gpt-5.4", "openai")],
    isMachine: true,
  },
  {
    name: "林怡君",
    fields: { comment: "行動裝置", day_limit: 300 },
    weight: 4,
    habits: [habit("gpt-5.4-mini", "chats", 2), habit("smart", "envelope")],
  },
  {
    name: "workshop-2026",
    fields: { comment: "Two days, 30 people", requests_per_day: 500, expires: "13d" },
    weight: 6,
    habits: [habit("gpt-6-luna", "envelope")],
  },
  {
    name: "Gast-Zugang",
    fields: { comment: "Found in a public repository", minute_limit: 5 },
    weight: 2,
    habits: [habit("gpt-5.4-mini", "envelope")],
  },
];

export const visitorHabits: readonly Habit[] = [
  habit("gpt-5.4-mini", "envelope", 5),
  habit("gpt-6-luna", "openai", 1),
];

export const ownKeyHabits: readonly Habit[] = [
  habit("gpt-5.4-mini", "envelope", 2),
  habit("gpt-5.4", "openai", 2),
  habit("gpt-5.4-mini", "chats", 1),
];
