/** What was asked and what became of it, by prompts that are asked once. */
import type { Behaviour, RecordedRequest } from "../upstream.ts";
import { composeAnswer, goodHeaders, wantsStream } from "../upstream.ts";

export type Kind = "call" | "stream" | "websocket" | "grpc";

export interface Tally {
  /** A new prompt. */
  begin(kind: Kind): string;
  /** The whole answer has come. */
  answered(prompt: string, requestId: string): void;
  failed(prompt: string, why: string): void;
  /** The client has left: its answer may be cut. */
  readonly answers: ReadonlyMap<string, string>;
  readonly failures: readonly string[];
  /** Prompts that came to the upstream, and how often. */
  readonly upstream: ReadonlyMap<string, number>;
  counts(): Readonly<Record<Kind, number>>;
  /** Answers well and counts; what is not a call takes this long between two pieces. */
  answering(paceMs: number): Behaviour;
}

export function createTally(): Tally {
  const answers = new Map<string, string>();
  const upstream = new Map<string, number>();
  const failures: string[] = [];
  let serial = 0;
  const seconds = () => new Date().toISOString().slice(14);
  return {
    answers,
    failures,
    upstream,
    begin(kind) {
      serial += 1;
      return `${kind}-${serial} one two three four`;
    },
    answered: (prompt, requestId) => void answers.set(prompt, requestId),
    failed: (prompt, why) => void failures.push(`${seconds()}: ${prompt}: ${why}`),
    counts() {
      const counts = { call: 0, stream: 0, websocket: 0, grpc: 0 };
      for (const prompt of answers.keys()) counts[kindOf(prompt)] += 1;
      return counts;
    },
    answering: (paceMs) => ({
      name: "counted",
      async run({ request, response, write, pause }) {
        const prompt = promptOf(request);
        upstream.set(prompt, (upstream.get(prompt) ?? 0) + 1);
        const { json, events } = composeAnswer(request);
        if (!wantsStream(request)) {
          response.writeHead(200, goodHeaders(request, "application/json"));
          response.end(JSON.stringify(json));
          return;
        }
        response.writeHead(200, goodHeaders(request, "text/event-stream"));
        for (const event of events) {
          await write(event);
          if (kindOf(prompt) === "stream") await pause(paceMs);
        }
        response.end();
      },
    }),
  };
}

/** What the upstream echoes. */
export const answerTo = (prompt: string) => `echo: ${prompt}`;

function kindOf(prompt: string): Kind {
  return prompt.slice(0, prompt.indexOf("-")) as Kind;
}

/** The last message is the prompt, whatever the dialect put before it. */
function promptOf({ json }: RecordedRequest): string {
  const { messages = [] } = json as { messages?: readonly { content: string }[] };
  return messages.at(-1)?.content ?? "";
}
