import { explainProblem, explainProblems } from "../config/explain.ts";
import { type ConfigProblem, readConfig } from "../config/read.ts";
import { databaseUrlOf, sqliteFileOf, storageOptions, storageSettings } from "../config/storage.ts";
import { createTranslate, defaultLanguage } from "../locales.ts";
import { openStorage } from "../storage/open.ts";
import { type Terminal, type Tools, WrongSettings } from "./command.ts";
import { createAdmin } from "./operations.ts";

export function createTools({ env, clock, readFile }: Terminal): Tools {
  const translate = createTranslate();
  const language = defaultLanguage(env.LANG ?? "");
  const problemsIn = (settings: typeof env): readonly ConfigProblem[] => {
    const read = readConfig(settings, readFile);
    return "problems" in read ? read.problems : [];
  };
  const storageConfig = () => {
    const read = readConfig(storagePart(env), readFile);
    if ("config" in read) return read.config;
    throw new WrongSettings(explainProblems(read.problems, translate, language).trimEnd());
  };
  return {
    settingProblems: () =>
      problemsIn(env).map((problem) => ({
        name: problem.name,
        message: explainProblem(problem, translate, language).slice(problem.name.length + 2),
      })),
    sqliteFile: () => {
      const config = storageConfig();
      if (databaseUrlOf(config) === null) return sqliteFileOf(config);
      throw new Error("this is for SQLite; PostgreSQL has pg_dump and pg_restore");
    },
    async withDesk(work) {
      const config = storageConfig();
      // A connection that breaks fails the command's own query, which is what is told.
      const onError = () => undefined;
      const storage = await openStorage({
        ...storageOptions(config, clock, onError),
        oneOff: true,
      });
      try {
        const canSeal = config.SECRET_KEY.length > 0;
        return await work({ storage, admin: createAdmin({ ...storage, clock, canSeal }) });
      } finally {
        await storage.close();
      }
    },
  };
}

/** A mistake in another setting is no reason not to revoke a token. */
function storagePart(env: Terminal["env"]): Terminal["env"] {
  const names = storageSettings.flatMap((name) => [name, `${name}_FILE`]);
  return Object.fromEntries(names.map((name) => [name, env[name]]));
}
