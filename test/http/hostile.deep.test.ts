import { test } from "vitest";
import { expectQuick } from "../support/hostile.ts";

test("no header and no body keeps the thread busy", () => expectQuick(1_000), 600_000);
