import { credentials, loadPackageDefinition, type ServiceError, status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { protoPath as healthProto } from "grpc-health-check";
import { afterAll, describe, expect, test } from "vitest";
import { cert, certPath, keyPath } from "../../support/certificate.ts";
import { createGrpcClient, type GrpcClient, startGrpc } from "../../support/grpc.ts";
import { deadline } from "../../support/http.ts";

const WAIT_MS = 5_000;
const closing: { close(): void }[] = [];
afterAll(() => {
  for (const one of closing) one.close();
});

type Reply = (error: ServiceError | null, value: { status: string }) => void;
interface HealthClient {
  check(request: { service: string }, reply: Reply): void;
  list(
    request: object,
    reply: (error: ServiceError | null, value: { statuses: object }) => void,
  ): void;
  watch(request: { service: string }): NodeJS.EventEmitter & { cancel(): void };
  close(): void;
}

function clientOf<T extends { close(): void }>(proto: string, path: string, target: string): T {
  const loaded: unknown = loadPackageDefinition(loadSync(proto, { enums: String, defaults: true }));
  const Client = path
    .split(".")
    .reduce<unknown>((at, name) => Reflect.get(at as object, name), loaded);
  const client = new (Client as new (...args: unknown[]) => T)(
    target,
    credentials.createInsecure(),
  );
  closing.push(client);
  return client;
}

const health = (target: string) =>
  clientOf<HealthClient>(healthProto, "grpc.health.v1.Health", target);

function check(client: HealthClient, service: string): Promise<string | number> {
  const told = new Promise<string | number>((resolve) => {
    client.check({ service }, (error, value) =>
      resolve(error === null ? value.status : error.code),
    );
  });
  return deadline(told, WAIT_MS, "health");
}

describe.concurrent("health", () => {
  test("is SERVING, costs nothing of the limits, and is NOT_SERVING from the drain on", async () => {
    const { target, parley, client } = await startGrpc({ MINUTE_LIMIT: "2" });
    const asked = health(target);
    const watched: string[] = [];
    const watch = asked.watch({ service: "chat.Chat" });
    watch.on("error", () => undefined);
    const told = new Promise<void>((resolve) => {
      watch.on("data", (message: { status: string }) => {
        if (watched.push(message.status) === 2) resolve();
      });
    });
    for (const service of ["", "chat.Chat", "", "chat.Chat"]) {
      expect(await check(asked, service)).toBe("SERVING");
    }
    expect(await check(asked, "chat.Other")).toBe(status.NOT_FOUND);
    await client.ask({ prompt: "x" });
    void parley.parley.openCalls.drain();
    parley.parley.drain();
    expect(await check(asked, "")).toBe("NOT_SERVING");
    await deadline(told, WAIT_MS, "the watcher is told");
    expect(watched).toEqual(["SERVING", "NOT_SERVING"]);
    const refused = await client.askInVain({ prompt: "x" });
    expect(refused.code).toBe(status.UNAVAILABLE);
    expect(refused.trailers.getMap()).toMatchObject({
      "error-code": "draining",
      "retry-after": "5",
    });
    watch.cancel();
  });

  test("lists what there is", async () => {
    const { target } = await startGrpc();
    const asked = health(target);
    const list = new Promise((resolve) => {
      asked.list({}, (_error, value) => resolve(value.statuses));
    });
    expect(await deadline(list, WAIT_MS, "the list")).toEqual({
      "": { status: "SERVING" },
      "chat.Chat": { status: "SERVING" },
    });
  });
});

describe.concurrent("reflection", () => {
  const proto = (version: string) =>
    new URL(
      `../../../node_modules/@grpc/reflection/build/proto/grpc/reflection/${version}/reflection.proto`,
      import.meta.url,
    ).pathname;

  test.each(["v1", "v1alpha"])(
    "%s tells the services and the whole of ask.proto",
    async (version) => {
      const { target } = await startGrpc();
      const client = clientOf<{ ServerReflectionInfo(): NodeJS.ReadWriteStream; close(): void }>(
        proto(version),
        `grpc.reflection.${version}.ServerReflection`,
        target,
      );
      const stream = client.ServerReflectionInfo();
      const answers: unknown[] = [];
      const ended = new Promise((resolve, reject) => {
        stream.on("data", (answer: unknown) => answers.push(answer));
        stream.on("end", resolve);
        stream.on("error", reject);
      });
      // asked for faster than anybody reads
      for (let times = 0; times < 200; times += 1) stream.write({ listServices: "*" } as never);
      stream.write({ fileContainingSymbol: "chat.Chat" } as never);
      stream.end();
      await deadline(ended, WAIT_MS, "all answers");
      const text = JSON.stringify(answers[0]);
      expect(text).toContain('"chat.Chat"');
      expect(text).toContain('"grpc.health.v1.Health"');
      expect(answers).toHaveLength(201);
      const [file] = (answers[200] as { fileDescriptorResponse: { fileDescriptorProto: Buffer[] } })
        .fileDescriptorResponse.fileDescriptorProto;
      for (const name of ["askrequest", "conversation_id", "max_tokens", "askusage", "omitted"]) {
        expect(file?.toString("latin1")).toContain(name);
      }
    },
  );
});

describe.concurrent("TLS", () => {
  const env = { GRPC_TLS_CERT: certPath, GRPC_TLS_KEY: keyPath };
  const withTls = (target: string): GrpcClient => {
    const client = createGrpcClient(target, credentials.createSsl(cert), {
      "grpc.ssl_target_name_override": "localhost",
    });
    closing.push(client);
    return client;
  };

  test("is spoken where a certificate is set", async () => {
    const { target, parley } = await startGrpc(env);
    const { text } = await withTls(target).ask({ prompt: "x" });
    expect(text).toBe("echo: x");
    expect(await parley.logged('"ask grpc"')).toContain('"client":"127.0.0.1"');
  });

  test("is asked for from those without it", async () => {
    const { client } = await startGrpc(env);
    expect((await client.askInVain({ prompt: "x" })).code).toBe(status.UNAVAILABLE);
  });

  test("is not there without a certificate", async () => {
    const { target } = await startGrpc();
    expect((await withTls(target).askInVain({ prompt: "x" })).code).toBe(status.UNAVAILABLE);
  });
});
