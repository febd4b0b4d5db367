import type { Setting } from "../config/kinds.ts";
import { explainProblems, problemMessages, readConfig } from "../config/read.ts";
import { settings as allSettings, type Config, type SettingName } from "../config/settings.ts";
import { storageOptions } from "../config/storage.ts";
import type { Clock } from "../core/ports.ts";
import type { Language } from "../locales.ts";
import { isEmpty, NoDatabaseError } from "../storage/driver/access.ts";
import type { StorageNotice } from "../storage/driver/driver.ts";
import { openStorage, type Storage } from "../storage/open.ts";
import { CommandError } from "./command.ts";
import { type Admin, createAdmin } from "./operations.ts";
import { plainScreen, type Screen } from "./screen.ts";
import type { Look } from "./table.ts";
import { createTexts, languageOf, type Texts } from "./texts.ts";
import { createUpstreamPorts, upstreamSettings } from "./upstream-ports.ts";

/** The process as a command sees it. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Throws when the file can't be read. */
  readFile(path: string): string;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** To standard output; resolves when there is room for more. */
  write(piece: string): Promise<void>;
  /** A line to standard error. */
  complain(line: string): void;
  /** Standard output and standard error; left out, they are pipes. */
  readonly out?: Screen;
  readonly err?: Screen;
}

/** For what goes to standard output. */
export function outputLook({ env, out }: Terminal): Look {
  return { texts: createTexts(languageOf(env)), screen: out ?? plainScreen };
}

/** For what goes to standard error. */
export function errorLook({ env, err }: Terminal): Look {
  return { texts: createTexts(languageOf(env)), screen: err ?? plainScreen };
}

/** The message has a line per wrong setting. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/**
 * The only settings that commands read, so that a mistake in another one can't block revoking a token.
 * Those on upstreams also read the settings of one.
 */
const storageSettings: readonly SettingName[] = [
  "DATA_DIR",
  "DATABASE_URL",
  "DATABASE_ADDRESS",
  "DATABASE_NAME",
  "DATABASE_USERNAME",
  "DATABASE_PASSWORD",
  "DATABASE_CONNECTIONS",
  "SECRET_KEY",
  "ENCRYPT_CONTENT",
  "EXPIRE_HOURS",
];

/** What commands share. */
export type Tools = ReturnType<typeof createTools>;

export function createTools(terminal: Terminal) {
  const { env, clock, readFile } = terminal;
  const look = outputLook(terminal);
  const { language, say } = look.texts;
  const settings = (wanted: readonly SettingName[]) => readSettings(wanted, terminal, language);
  // a connection that breaks fails the command's own query, which is reported
  const options = () => storageOptions(settings(storageSettings), clock, () => undefined);
  /** Opens the database for this one command and closes it afterwards. */
  const withStorage = async <T>(work: (storage: Storage) => Promise<T>, mayCreate = false) => {
    const { databaseUrl, sqliteFile, ...rest } = options();
    const onNotice = (notice: StorageNotice) =>
      terminal.complain(`parley: ${noticeText(notice, look.texts)}`);
    const opening = { databaseUrl, sqliteFile, ...rest, onNotice, oneOff: true, mayCreate };
    const storage = await openStorage(opening).catch((error: unknown) => {
      if (!(error instanceof NoDatabaseError)) throw error;
      const place = databasePlace(databaseUrl) ?? sqliteFile;
      // most commands create none, since a wrong DATA_DIR would go unnoticed
      throw new CommandError("no_database", { place }, { cause: error });
    });
    try {
      return await work(storage);
    } finally {
      await storage.close();
    }
  };
  const withAdmin = <T>(work: (admin: Admin) => Promise<T>, mayCreate = false): Promise<T> => {
    const canSeal = options().secretKeys.current !== null;
    const upstreams = createUpstreamPorts(() => settings(upstreamSettings), clock);
    return withStorage(
      (storage) => work(createAdmin({ ...storage, upstreams, canSeal })),
      mayCreate,
    );
  };
  return {
    terminal,
    look,
    say,
    /** Reads these settings, and no others. */
    settings,
    withStorage,
    withAdmin,
    /** For commands that may begin a new installation. */
    withNewAdmin: <T>(work: (admin: Admin) => Promise<T>) => withAdmin(work, true),
    /** The mistakes in all settings, also in those of the server alone. */
    settingProblems() {
      const read = readConfig(env, readFile);
      return "problems" in read ? problemMessages(read.problems, language) : [];
    },
    /** Throws if the database is PostgreSQL. */
    sqliteFile(): string {
      const { databaseUrl, sqliteFile } = options();
      if (databaseUrl === null) return sqliteFile;
      throw new CommandError("sqlite_only");
    },
    /** Whether nothing is there yet: settings are as they should be, but there is no database. */
    isNew(): boolean {
      try {
        const { databaseUrl, sqliteFile } = options();
        return databaseUrl === null && isEmpty(sqliteFile);
      } catch {
        return false;
      }
    },
  };
}

function readSettings(
  wanted: readonly SettingName[],
  { env, readFile }: Terminal,
  language: Language,
): Config {
  const names = wanted.flatMap((name) => {
    const { aliases = [] }: Setting = allSettings[name];
    return [name, ...aliases].flatMap((one) => [one, `${one}_FILE`]);
  });
  const read = readConfig(Object.fromEntries(names.map((name) => [name, env[name]])), readFile);
  if ("config" in read) return read.config;
  throw new SettingsError(explainProblems(read.problems, language).trimEnd());
}

/** Without its user and password. */
function databasePlace(databaseUrl: string | null): string | null {
  if (databaseUrl === null) return null;
  const { protocol, host, pathname } = new URL(databaseUrl);
  return `${protocol}//${host}${pathname}`;
}

function noticeText({ reason = "", migrations }: StorageNotice, texts: Texts): string {
  const text = texts.say(migrations === undefined ? "notice.waits" : "notice.newer");
  return reason === "" ? text : `${text} (${reason})`;
}
