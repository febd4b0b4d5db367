/** Several processes count as one: calls behind nginx, streams and WebSocket connections. */
import { describe, expect, test } from "vitest";
import { type Copies, startBalancer, startCopies } from "../../support/copies.ts";
import { openStream } from "../../support/http.ts";
import { held } from "../../support/upstream.ts";
import { until } from "../../support/process.ts";
import { startRedis } from "../../support/redis.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { admitted, burst } from "../../support/traffic.ts";
import { connect, connectInVain } from "../../support/websocket.ts";
