import { constants, type ServerHttp2Stream } from "node:http2";
import type { ServerInterceptingCallInterface, ServerListener, StatusObject } from "@grpc/grpc-js";
import { ProxyError, toProxyError } from "../../../core/errors.ts";

/** A message comes in the same packets as its head; one that has not is a slow one. */
const SLOW_UPLOAD_MS = 1_000;
const MAX_UPLOAD_MS = 30_000;

export interface UploadOptions {
  /** Throws when there is no room for a slow one. */
  readonly onSlow: () => void;
  readonly refuse: (error: ProxyError) => void;
}

/**
 * Bounds what is kept of a client that is not yet answered: one message, whole within a time. The
 * library would keep all that came in one frame, for as long as the client leaves the stream open.
 */
export function boundUpload(
  stream: ServerHttp2Stream,
  { onSlow, refuse }: UploadOptions,
): ServerListener {
  let messages = 0;
  const timers: NodeJS.Timeout[] = [];
  const end = () => {
    for (const timer of timers) clearTimeout(timer);
  };
  const refused = (thrown: unknown) => {
    end();
    refuse(toProxyError(thrown));
  };
  const slow = () => {
    try {
      onSlow();
    } catch (thrown) {
      refused(thrown);
    }
  };
  const late = () => refused(new ProxyError("body_incomplete"));
  timers.push(setTimeout(slow, SLOW_UPLOAD_MS), setTimeout(late, MAX_UPLOAD_MS));
  stream.once("close", end);
  return {
    onReceiveMessage(message, next) {
      messages += 1;
      if (messages === 1) next(message);
      else refused(new ProxyError("bad_request"));
    },
    onReceiveHalfClose(next) {
      end();
      next();
    },
  };
}

/** A reset overtakes what is sent just before it. */
const FAREWELL_MS = 200;

/** The whole answer, and no interest in the rest of the request. */
export function answerAtOnce(
  call: ServerInterceptingCallInterface,
  stream: ServerHttp2Stream,
  status: StatusObject,
): void {
  call.sendStatus(status);
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), FAREWELL_MS);
  stream.once("close", () => clearTimeout(timer));
}
