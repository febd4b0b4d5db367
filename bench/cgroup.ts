import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface MemoryGroup {
  /** Where a process writes its id to come under the limit. */
  readonly procsFile: string;
  /** The most that was charged to the group, files it has read and written included, in MB. */
  readonly peakMb: () => number;
  /** Processes that were killed for want of memory. */
  readonly kills: () => number;
  /** Once its processes have ended. */
  readonly remove: () => void;
}

interface Version {
  readonly root: string;
  readonly limit: string;
  /** Bounds swap too, where the machine has any. */
  readonly swap: readonly [file: string, bytes: (limitBytes: number) => number];
  readonly peak: string;
  readonly events: string;
}

const VERSIONS: readonly Version[] = [
  {
    root: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    swap: ["memory.memsw.limit_in_bytes", (limitBytes) => limitBytes],
    peak: "memory.max_usage_in_bytes",
    events: "memory.oom_control",
  },
  {
    root: "/sys/fs/cgroup",
    limit: "memory.max",
    swap: ["memory.swap.max", () => 0],
    peak: "memory.peak",
    events: "memory.events",
  },
];
const MB = 1_000_000;

/**
 * A control group with a limit on memory, as a container has it; null where this user may not make
 * one. Node sees the limit and sizes its heap by it.
 */
export function createMemoryGroup(limitMb: number): MemoryGroup | null {
  for (const version of VERSIONS) {
    const folder = join(version.root, `parley-bench-${process.pid}`);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    const at = (file: string) => join(folder, file);
    const remove = () => rmdirSync(folder);
    if (!existsSync(at(version.limit))) {
      remove();
      continue;
    }
    const [swapFile, swapBytes] = version.swap;
    writeFileSync(at(version.limit), String(limitMb * MB));
    if (existsSync(at(swapFile))) writeFileSync(at(swapFile), String(swapBytes(limitMb * MB)));
    return {
      procsFile: at("cgroup.procs"),
      peakMb: () => Number(readFileSync(at(version.peak), "latin1")) / MB,
      kills: () => Number(/^oom_kill (\d+)/m.exec(readFileSync(at(version.events), "latin1"))?.[1]),
      remove,
    };
  }
  return null;
}
