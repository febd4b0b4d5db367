import { type Behaviour, composeAnswer, goodHeaders, wantsStream } from "./upstream.ts";

/** Sends one event and the others once `go` has resolved; JSON waits before its first byte. */
export function heldUntil(go: Promise<void>): Behaviour {
  return {
    name: "held",
    run: async ({ request, response, write }) => {
      const { json, events } = composeAnswer(request);
      const streamed = wantsStream(request);
      const [first = "", second = "", ...rest] = streamed ? events : [JSON.stringify(json)];
      if (streamed) {
        response.writeHead(200, goodHeaders(request, "text/event-stream"));
        await write(first + second);
      } else {
        response.writeHead(200, goodHeaders(request, "application/json"));
      }
      await go;
      response.end(streamed ? rest.join("") : first);
    },
  };
}
