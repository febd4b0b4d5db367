/** The settings of the demo's server. */
import { randomBytes } from "node:crypto";
import { claudeModels, openAiModels, USUAL_MODEL } from "./models.ts";
import type { DemoServices } from "./upstream/services.ts";

export interface DemoSecrets {
  readonly adminToken: string;
  readonly secretKey: string;
}

const SECRET_BYTES = 24;

export function newDemoSecrets(): DemoSecrets {
  const secret = () => randomBytes(SECRET_BYTES).toString("base64url");
  return { adminToken: `demo-admin-${secret()}`, secretKey: `demo-${secret()}` };
}

export function demoSettings(
  { adminToken, secretKey }: DemoSecrets,
  services: DemoServices,
  folder: string,
  port: number,
): Readonly<Record<string, string>> {
  return {
    HOST: "127.0.0.1",
    PORT: String(port),
    DATA_DIR: folder,
    // as with Docker, so that the samples of the READMEs run as they are
    ROUTE: "api",
    OPENAI_URL: services.openAiUrl,
    API_KEY: "demo-key",
    MODEL: USUAL_MODEL,
    ALLOWED_MODELS: [...openAiModels, ...claudeModels, "smart"].join(", "),
    MAX_TOKENS: "1000",
    // the next upstream of a route is asked at once
    RETRIES: "0",
    SECOND_LIMIT: "2",
    MINUTE_LIMIT: "12",
    HOUR_LIMIT: "120",
    // the demo's own callers have addresses of their own
    TRUSTED_PROXIES: "loopback",
    ADMIN_TOKEN: adminToken,
    SECRET_KEY: secretKey,
    ALERT_URL: services.alertUrl,
    ALERT_SECRET: `whsec_${Buffer.from(secretKey).toString("base64")}`,
    STATUS_UPSTREAMS: "names",
    SHUTDOWN_SECONDS: "1",
  };
}
