import type { Call } from "../../core/call/call.ts";
import { ProxyError } from "../../core/errors.ts";
import { withExactNumbers } from "../../core/exact-numbers.ts";
import type { RelayRequest } from "../../core/upstream-ports.ts";
import { parsed, parseJson } from "../../http/body/parsed.ts";
import { openUpload } from "../../http/body/upload.ts";
import { type CallOptions, readCallBody } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Route, RouteDoc } from "../../http/dialect.ts";
import { batchBody, fileDocs } from "./files-docs.ts";
import { pathRequest } from "./path-request.ts";

export interface FileOptions extends CallOptions {
  /** A larger upload is refused. */
  readonly maxUploadBytes: number;
}

/** What is asked of the service, once the caller has shown a key of their own. */
export type OwnKeyRequest = (c: AppContext, call: Call) => RelayRequest | Promise<RelayRequest>;

export interface OwnKeyRoute extends Pick<Route, "method" | "path"> {
  readonly doc: RouteDoc;
  readonly request: OwnKeyRequest;
}

/** Files and batches belong to an account, which tokens share: so they are for own keys alone. */
export function fileRoutes(options: FileOptions): readonly OwnKeyRoute[] {
  const upload: OwnKeyRequest = (c) => ({
    ...emptyRequest(c, "POST"),
    body: openUpload(c.env.incoming, options.maxUploadBytes),
  });
  const createBatch: OwnKeyRequest = async (c) => {
    const bytes = await readCallBody(c, options);
    const body = withExactNumbers(parsed(batchBody, parseJson(bytes)), bytes);
    return { ...emptyRequest(c, "POST"), body: JSON.stringify(body) };
  };
  const content: OwnKeyRequest = (c) => ({ ...emptyRequest(c, "GET"), anyBytes: true });
  const get: OwnKeyRequest = (c) => emptyRequest(c, "GET");
  const remove: OwnKeyRequest = (c) => emptyRequest(c, "DELETE");
  const cancel: OwnKeyRequest = (c) => emptyRequest(c, "POST");
  const { list, show, ...docs } = fileDocs;
  return [
    { method: "POST", path: "/v1/files", doc: docs.upload, request: upload },
    { method: "GET", path: "/v1/files", doc: list, request: get },
    { method: "GET", path: "/v1/files/:id", doc: show, request: get },
    { method: "DELETE", path: "/v1/files/:id", doc: docs.remove, request: remove },
    { method: "GET", path: "/v1/files/:id/content", doc: docs.content, request: content },
    { method: "POST", path: "/v1/batches", doc: docs.createBatch, request: createBatch },
    { method: "GET", path: "/v1/batches", doc: list, request: get },
    { method: "GET", path: "/v1/batches/:id", doc: show, request: get },
    { method: "POST", path: "/v1/batches/:id/cancel", doc: docs.cancel, request: cancel },
  ];
}

/** Throws for those who have no key of their own. */
export function checkOwnKey({ principal }: Call): void {
  if (principal.kind !== "own-key") throw new ProxyError("own_key_needed");
}

/** The parts of a list that OpenAI's clients ask for. */
const QUERY = ["purpose", "limit", "order", "after"];

function emptyRequest(c: AppContext, method: RelayRequest["method"]): RelayRequest {
  return pathRequest(c, method, QUERY);
}
