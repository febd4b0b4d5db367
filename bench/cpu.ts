import { readFileSync } from "node:fs";

// USER_HZ: the unit in which Linux shows process times, 100 on every platform Node runs on.
const TICK_MS = 10;
const USER_FIELD = 11;
const SYSTEM_FIELD = 12;

/** User plus system time a process and its threads have used so far, in ms, in steps of 10 (proc_pid_stat(5)). */
export function readCpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field is the program's name in brackets and may hold spaces; count from behind it.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_FIELD]) + Number(fields[SYSTEM_FIELD])) * TICK_MS;
}
