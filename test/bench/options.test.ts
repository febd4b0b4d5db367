import { describe, expect, test } from "vitest";
import { readOptions } from "../../bench/options.ts";

describe("the options of the benchmark", () => {
  test("without any, measure all that does not take long", () => {
    const options = readOptions([]);
    expect(options?.phases).toEqual(["cpu", "latency", "memory", "start"]);
    expect(options).toMatchObject({ rounds: 8, latencyRounds: 5, calls: 400, portkey: false });
  });

  test("with phases, measure those alone, and latency with the calls a p99 wants", () => {
    expect(readOptions(["--latency", "--start"])).toMatchObject({
      phases: ["latency", "start"],
      calls: 2_000,
    });
  });

  test("with groups, measure what the groups are part of", () => {
    const options = readOptions(["--only", "json,100KB", "--only", "stream"]);
    expect(options?.only).toEqual(["json", "100kb", "stream"]);
    expect(options?.phases).toEqual(["cpu", "latency"]);
  });

  test("take 500 streams for a limit on memory that names no number", () => {
    expect(readOptions(["--memory-limit", "160"])?.memoryLimit).toEqual({
      streams: 500,
      limitMb: 160,
    });
    expect(readOptions(["--streams", "9"])?.memoryLimit).toBeNull();
  });

  test("take 1, 2 and 4 copies where no number is named", () => {
    expect(readOptions(["--copies"])?.copies).toEqual([1, 2, 4]);
    expect(readOptions(["--copies", "--counts", "1,3"])?.copies).toEqual([1, 3]);
    expect(readOptions(["--counts", "3"])?.copies).toBeNull();
    expect(() => readOptions(["--copies", "--counts", "0"])).toThrow("--counts takes a number");
  });

  test("say what they cannot understand", () => {
    expect(() => readOptions(["--only", "all"])).toThrow("--only takes json");
    expect(() => readOptions(["--rounds", "1.5"])).toThrow(
      "--rounds takes a number from 1 to 1000",
    );
    expect(() => readOptions(["--soak", ""])).toThrow("--soak takes a number");
    expect(() => readOptions(["--sometimes"])).toThrow();
  });

  test("ask for help", () => {
    expect(readOptions(["--help", "--soak", "60"])).toBeNull();
  });
});
