/** The demo, from nothing to a server with a past, and back. */
import { readConfig } from "../../src/config/read.ts";
import { openFolder } from "./folder.ts";
import type { DemoOptions } from "./options.ts";
import { requireFreePort, startServer } from "./server.ts";
import { demoSettings, newDemoSecrets } from "./settings.ts";
import { startTraffic } from "./traffic.ts";
import { startServices } from "./upstream/services.ts";
import { SHOWN_PERSON } from "./week/people.ts";
import { seedWeek } from "./week/seed.ts";

export interface Demo {
  /** With a slash at its end. */
  readonly url: string;
  readonly adminToken: string;
  /** Of a token, and whose it is. */
  readonly holderToken: string;
  readonly holder: string;
  /** Null: the data are removed at the end. */
  readonly keptIn: string | null;
  /** Resolves when the server ends by itself. */
  readonly ended: Promise<unknown>;
  /** Resolves when the first calls of others are over. */
  readonly begun: Promise<unknown>;
  close(): Promise<void>;
}

export async function startDemo({ port, keep }: DemoOptions): Promise<Demo> {
  await requireFreePort(port);
  const folder = openFolder(keep);
  const ends: (() => Promise<void> | void)[] = [folder.leave];
  const close = async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    const services = await startServices();
    ends.push(services.close);
    const own = newDemoSecrets();
    const settings = demoSettings(own, services, folder.path, port);
    const read = readConfig(settings, () => "");
    if ("problems" in read) throw new Error(JSON.stringify(read.problems));
    const secrets = await seedWeek(read.config, services);
    const server = await startServer(settings, folder.path);
    ends.push(server.stop);
    const url = `http://127.0.0.1:${server.port}/`;
    const traffic = startTraffic(url, secrets);
    ends.push(traffic.stop);
    return {
      url,
      adminToken: own.adminToken,
      holderToken: secrets.get(SHOWN_PERSON)?.secret ?? "",
      holder: SHOWN_PERSON,
      keptIn: folder.isKept ? folder.path : null,
      ended: server.ended,
      begun: traffic.begun,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
