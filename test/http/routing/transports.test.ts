/** Questions of trees fall on over gRPC and WebSocket, too, and gRPC tells who has answered. */
import { expect, test } from "vitest";
import { closeAfterFile } from "../../support/cleanup.ts";
import { refuse, resetBeforeHeaders } from "../../support/faults.ts";
import { createGrpcClient } from "../../support/grpc.ts";
import { startRouted } from "../../support/routed.ts";
import { connect, readText } from "../../support/websocket.ts";

async function scene() {
  const routed = await startRouted({ RETRIES: "0", MODEL: "alias", GRPC_PORT: "9000" });
  const first = await routed.add("first");
  const second = await routed.add("second");
  await routed.route("alias", "first:a; second:b");
  return { ...routed, first, second };
}

test("over gRPC", async () => {
  const { parley, first, second } = await scene();
  const client = closeAfterFile(createGrpcClient(`127.0.0.1:${parley.ports.grpc}`));
  first.behave(resetBeforeHeaders);
  const { text, initial } = await client.ask({ prompt: "Hello?" });
  expect([text, initial.get("x-parley-upstream")]).toEqual(["echo: Hello?", ["second"]]);
  for (const upstream of [first, second]) upstream.behave(refuse(500));
  const refused = await client.askInVain({ prompt: "Hello?" });
  expect(refused.trailers.get("x-parley-upstream")).toEqual(["second"]);
});

test("over WebSocket", async () => {
  const { parley, first, second } = await scene();
  first.behave(resetBeforeHeaders);
  const client = await connect(`${parley.origin.replace("http", "ws")}/ask`);
  client.send("<|ask|>$new$new$Hello?");
  expect((await readText(client)).text).toBe("echo: Hello?");
  expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
  await client.close();
});
