/** Agents of the command line, set up as docs/en/clients.md says, and how each is asked a question. */
import { NOTE, QUESTION } from "./agent-model.ts";
import type { Run } from "./programs.ts";
import { CLAUDE, MODEL, type Server, settingsOf, variablesIn } from "./settings.ts";

export interface Agent {
  readonly name: string;
  readonly program: string;
  /** What it asks for in these settings. */
  readonly model: string;
  runs(server: Server): readonly Run[];
}

const CODEX = "codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex";
const CLAUDE_CODE = "@anthropic-ai/claude-code-linux-x64/claude";
const OPENCODE = "opencode-linux-x64/bin/opencode";
const CLINE = "@cline/cli-linux-x64/bin/cline";
const QWEN = "@qwen-code/qwen-code/cli-entry.js";
const CONTINUE = "@continuedev/cli/dist/cn.js";
const PI = "@earendil-works/pi-coding-agent/dist/bundle/cli.js";

const note = { "note.txt": `${NOTE}\n` };
const asking = ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"];

export const codex: Agent = {
  name: "Codex, its own provider with another address",
  program: CODEX,
  model: MODEL,
  runs: (server) => [
    {
      program: CODEX,
      args: [...asking, QUESTION],
      env: { CODEX_API_KEY: server.token },
      files: { ...note, "~/.codex/config.toml": settingsOf("Codex CLI", server, 0) },
    },
  ],
};

export const codexProvider: Agent = {
  name: "Codex, a provider of one's own",
  program: CODEX,
  model: MODEL,
  runs: (server) => [
    {
      program: CODEX,
      args: [...asking, QUESTION],
      env: { PARLEY_TOKEN: server.token },
      files: { ...note, "~/.codex/config.toml": settingsOf("Codex CLI", server, 2) },
    },
  ],
};

const claudeCodeWith = (name: string, model: string): Agent => ({
  name,
  program: CLAUDE_CODE,
  model,
  runs: (server) => [
    {
      program: CLAUDE_CODE,
      args: ["-p", "--dangerously-skip-permissions", QUESTION],
      env: {
        ...variablesIn(settingsOf("Claude Code", server)),
        ANTHROPIC_MODEL: model,
        // its permission is refused to root elsewhere
        IS_SANDBOX: "1",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      },
      files: note,
    },
  ],
});

export const claudeCode = claudeCodeWith("Claude Code", CLAUDE);
export const claudeCodeGpt = claudeCodeWith("Claude Code with a model of OpenAI's", MODEL);

export const openCode: Agent = {
  name: "opencode",
  program: OPENCODE,
  model: MODEL,
  runs: (server) => [
    {
      program: OPENCODE,
      args: ["run", QUESTION],
      env: {
        PARLEY_TOKEN: server.token,
        OPENCODE_DISABLE_AUTOUPDATE: "1",
        OPENCODE_DISABLE_MODELS_FETCH: "1",
        OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      },
      files: { ...note, "~/.config/opencode/opencode.json": settingsOf("opencode", server) },
    },
  ],
};

export const cline: Agent = {
  name: "Cline",
  program: CLINE,
  model: MODEL,
  runs: (server) => {
    const [, ...signIn] = settingsOf("Cline", server).trim().split(" ");
    const env = { CLINE_NO_AUTO_UPDATE: "1", NODE_NO_WARNINGS: "1" };
    return [
      { program: CLINE, args: signIn, env },
      { program: CLINE, args: ["--auto-approve", "true", QUESTION], env, files: note },
    ];
  },
};

export const qwenCode: Agent = {
  name: "Qwen Code",
  program: QWEN,
  model: MODEL,
  runs: (server) => [
    {
      program: QWEN,
      args: ["--auth-type", "openai", "--yolo", QUESTION],
      files: { ...note, "~/.qwen/.env": settingsOf("Qwen Code", server) },
    },
  ],
};

export const continueCli: Agent = {
  name: "Continue",
  program: CONTINUE,
  model: MODEL,
  runs: (server) => [
    {
      program: CONTINUE,
      args: ["--auto", "-p", QUESTION],
      env: { CONTINUE_TELEMETRY_ENABLED: "0" },
      files: { ...note, "~/.continue/config.yaml": settingsOf("Continue", server) },
    },
  ],
};

const piWith = (name: string, provider: string, model: string): Agent => ({
  name,
  program: PI,
  model,
  runs: (server) => [
    {
      program: PI,
      args: ["--model", `${provider}/${model}`, "-p", QUESTION],
      env: { PI_OFFLINE: "1", PI_TELEMETRY: "0" },
      files: { ...note, "~/.pi/agent/models.json": settingsOf("pi", server) },
    },
  ],
});

export const pi = piWith("pi over chat completions", "parley", MODEL);
export const piClaude = piWith("pi over Anthropic's API", "parley-claude", CLAUDE);
