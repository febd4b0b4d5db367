/** Callers who go on asking while the demo runs, so that something happens on the operator's page. */
import { createChance } from "./week/chance.ts";
import type { Secrets } from "./week/setting-up.ts";

interface Caller {
  readonly name: string;
  /** As a proxy would tell it, since the limits of this machine are for whoever looks at the demo. */
  readonly network: string;
  readonly path: string;
  readonly body: (question: string) => object;
  readonly questions: readonly string[];
  readonly weight: number;
}

const chat = (model: string) => (content: string) => ({
  model,
  messages: [{ role: "user", content }],
});
const messages = (model: string) => (content: string) => ({
  ...chat(model)(content),
  max_tokens: 800,
});

const callers: readonly Caller[] = [
  {
    name: "Дмитрий Орлов",
    network: "192.0.2",
    path: "v1/chat/completions",
    body: chat("smart"),
    questions: ["Чем HTTP/2 отличается от HTTP/3?", "Напиши SQL-запрос: пять лучших клиентов"],
    weight: 2,
  },
  {
    name: "Анна Смирнова",
    network: "192.0.2",
    path: "v1/messages",
    body: messages("claude-sonnet-5-5"),
    questions: ["Объясни регулярное выражение для даты", "Скрипт на Python, который читает CSV"],
    weight: 2,
  },
  {
    name: "王芳",
    network: "198.51.100",
    path: "v1/chat/completions",
    body: chat("gpt-5.4-mini"),
    questions: ["滑动窗口如何计数？", "用 Python 脚本汇总 CSV 文件", "写一封礼貌的改期邮件"],
    weight: 2,
  },
  {
    name: "林怡君",
    network: "198.51.100",
    path: "api",
    body: (question) => ({ user_content: question, model: "gpt-5.4-mini" }),
    questions: ["天空為什麼是藍色的？", "把「早安」翻譯成俄文"],
    weight: 2,
  },
  {
    name: "hourly-digest",
    network: "203.0.113",
    path: "v1/chat/completions",
    body: chat("gpt-5.4"),
    questions: ["Which steps does a weekend trip need?", "Write a polite mail: a new date"],
    weight: 1,
  },
  {
    name: "语料索引",
    network: "203.0.113",
    path: "v1/embeddings",
    body: (input) => ({ model: "text-embedding-3-small", input }),
    questions: ["滑动窗口统计最近 60 秒内的请求。", "反向代理后面的小型 API"],
    weight: 1,
  },
];

const SEED = 7;
const EACH_MS = 6_000;
/** The service that is away has failed so often that its breaker rests. */
const AT_START = 6;
/** Until then each call asks that service first, so that it rests for longer each time. */
const AWAY_FIRST = 16;
const MAX_OPEN = 8;
/** Of each network. */
const ADDRESSES = 200;

export function startTraffic(url: string, secrets: Secrets) {
  const chance = createChance(SEED);
  const leaving = new AbortController();
  let open = 0;
  let asked = 0;
  const ask = async ({ name, network, path, body, questions }: Caller): Promise<void> => {
    const question = questions[Math.floor(chance.next() * questions.length)] ?? "";
    if (open >= MAX_OPEN) return;
    open += 1;
    asked += 1;
    const headers = {
      authorization: `Bearer ${secrets.get(name)?.secret}`,
      "content-type": "application/json",
      "x-forwarded-for": `${network}.${1 + (asked % ADDRESSES)}`,
    };
    const request = { method: "POST", headers, body: JSON.stringify(body(question)) };
    // a caller that is refused, or whose server ends, asks again later
    await fetch(url + path, { ...request, signal: leaving.signal })
      .then((response) => response.arrayBuffer())
      .catch(() => undefined);
    open -= 1;
  };
  const usual = callers.filter(({ body }) => JSON.stringify(body("")).includes("gpt-5.4-mini"));
  const first = Array.from({ length: AT_START }, () => ask(chance.pick(usual)));
  const next = () => chance.pick(asked < AWAY_FIRST ? usual : callers);
  const timer = setInterval(() => void ask(next()), EACH_MS);
  return {
    /** Resolves when the first calls are over. */
    begun: Promise.all(first),
    stop() {
      clearInterval(timer);
      leaving.abort();
    },
  };
}
