/** Agents do a turn with a tool: the model has a command run, and tells what came out. */
import { describe, expect, test } from "vitest";
import { NOTE } from "./agent-model.ts";
import {
  type Agent,
  claudeCode,
  claudeCodeGpt,
  cline,
  codex,
  codexProvider,
  continueCli,
  openCode,
  pi,
  piClaude,
  qwenCode,
} from "./agents.ts";
import { isInstalled, type Ran, runPrograms } from "./programs.ts";
import { type AgentScene, type Kind, startAgentScene } from "./servers.ts";

const inCI = process.env.CI !== undefined;
/** Built for Linux on x64 alone, some of them; elsewhere they are left out. */
const canRun = ({ program }: Agent): boolean => inCI || isInstalled(program);

const turns: readonly (readonly [Agent, Kind])[] = [
  [codex, "openai"],
  [codexProvider, "openai"],
  [claudeCode, "openai"],
  [claudeCode, "anthropic"],
  [claudeCodeGpt, "openai"],
  [openCode, "openai"],
  [openCode, "anthropic"],
  [cline, "openai"],
  [qwenCode, "openai"],
  [qwenCode, "anthropic"],
  [continueCli, "openai"],
  [pi, "openai"],
  [pi, "anthropic"],
  [piClaude, "openai"],
  [piClaude, "anthropic"],
];

describe.concurrent.each(turns.map(([agent, kind]) => ({ agent, kind, name: agent.name })))(
  "$name, with a service of the kind $kind",
  ({ agent, kind }) => {
    test.runIf(canRun(agent))("has a command run and tells what came out", async () => {
      const scene = await startAgentScene(kind);
      const ran = await runPrograms(agent.runs(scene.server));
      expect(ran.stdout, complaintsOf(ran, scene)).toContain(`It says: ${NOTE}.`);
      expect(ran.code).toBe(0);
      const rows = scene.rows();
      expect(rows.filter(({ model }) => model === agent.model).length).toBeGreaterThanOrEqual(2);
      expect(rows.map(({ outcome, provenance }) => `${outcome}, ${provenance}`)).toEqual(
        rows.map(() => "completed, reported"),
      );
      expect(refusedIn(scene)).toEqual(agent === codex ? ["websocket_refused"] : []);
    });
  },
);

test.runIf(canRun(codex))("Codex starts over HTTP without trying again", async () => {
  const { server } = await startAgentScene("openai");
  const { stderr } = await runPrograms(codex.runs(server));
  expect(stderr).not.toMatch(/reconnecting|falling back/i);
});

describe.concurrent("a token that is not accepted", () => {
  const server = async (): Promise<AgentScene> => startAgentScene("openai");
  test.runIf(canRun(claudeCode))("is told by Claude Code at the first answer", async () => {
    const scene = await server();
    const ran = await runPrograms(claudeCode.runs({ ...scene.server, token: "parley-wrong" }));
    expect(ran.stdout + ran.stderr).toContain("the token is unknown, expired or revoked");
    expect(refusedIn(scene)).toEqual(["token_rejected"]);
  });

  test.runIf(canRun(pi))("is told by pi", async () => {
    const scene = await server();
    const ran = await runPrograms(pi.runs({ ...scene.server, token: "parley-wrong" }));
    expect(ran.stdout + ran.stderr).toContain("the token is unknown, expired or revoked");
    expect(refusedIn(scene)).toEqual(["token_rejected"]);
  });
});

/** The codes of errors that Parley has told. */
function refusedIn({ parley }: AgentScene): readonly unknown[] {
  const lines = parley.log.flatMap((line) => line.split("\n")).filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line).error).filter((error) => error !== undefined);
}

const complaintsOf = ({ stderr }: Ran, { parley }: AgentScene): string =>
  `${stderr}\n${parley.log.join("")}`;
