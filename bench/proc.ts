// What Linux tells of running processes (proc_pid_stat(5), proc_pid_status(5)). Every figure is of a
// process and all it has started, so that a gateway of several processes is measured as one.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

// USER_HZ: the unit in which Linux shows process times, 100 on every platform Node runs on.
const TICK_MS = 10;
const PARENT_FIELD = 1;
const USER_FIELD = 11;
const SYSTEM_FIELD = 12;
/** The same of children that have ended: a database ends sessions that nobody uses. */
const ENDED_FIELDS = [13, 14];
const KIB_PER_MB = 1_000_000 / 1_024;

/** User plus system time used so far by all threads, in ms, in steps of 10. */
export function readCpuMs(pid: number): number {
  const ticks = (member: number) =>
    [USER_FIELD, SYSTEM_FIELD, ...ENDED_FIELDS].reduce(
      (sum, field) => sum + statNumber(member, field),
      0,
    );
  return sumOfTree(pid, ticks) * TICK_MS;
}

/** Resident memory now, in MB. */
export function readRssMb(pid: number): number {
  return sumOfTree(pid, (member) => statusKib(member, "VmRSS")) / KIB_PER_MB;
}

/** Of that, what is in no file and so has to stay in memory where there is no swap, in MB. */
export function readPrivateMb(pid: number): number {
  return sumOfTree(pid, (member) => statusKib(member, "RssAnon")) / KIB_PER_MB;
}

/** The most that was ever resident, in MB. */
export function readPeakMb(pid: number): number {
  return sumOfTree(pid, (member) => statusKib(member, "VmHWM")) / KIB_PER_MB;
}

/** Sockets that are open, whichever side opened them. */
export function countSockets(pid: number): number {
  return sumOfTree(pid, (member) => {
    const folder = `/proc/${member}/fd`;
    return readdirSync(folder).filter((fd) => isSocket(`${folder}/${fd}`)).length;
  });
}

/** How many files and sockets this process may have open; children inherit it. */
export function openFilesMax(): number {
  const line = /^Max open files +(\d+|unlimited)/m.exec(
    readFileSync("/proc/self/limits", "latin1"),
  );
  return line?.[1] === "unlimited" ? Number.POSITIVE_INFINITY : Number(line?.[1]);
}

function sumOfTree(pid: number, read: (member: number) => number): number {
  return read(pid) + descendantsOf(pid).reduce((sum, member) => sum + readOr(0, member, read), 0);
}

function descendantsOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const pid = Number(entry);
    const parent = readOr(0, pid, (one) => statNumber(one, PARENT_FIELD));
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [...(children.get(root) ?? [])];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

function statNumber(pid: number, field: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field is the program's name in brackets and may hold spaces; count from behind it.
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[field]);
}

function statusKib(pid: number, name: string): number {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
}

// What was listed may have ended before it is read.
function readOr(fallback: number, pid: number, read: (pid: number) => number): number {
  try {
    return read(pid);
  } catch {
    return fallback;
  }
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith("socket:");
  } catch {
    return false;
  }
}
