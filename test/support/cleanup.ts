/** What a test file has started and what ends with it, as tests of one file run side by side. */
interface Closable {
  close(): void | Promise<void>;
}

const open: Closable[] = [];

/** Closes this once the file's last test is over: what was opened last is closed first. */
export function closeAfterFile<T extends Closable>(opened: T): T {
  open.push(opened);
  return opened;
}

export async function closeAll(): Promise<void> {
  for (const one of open.splice(0).toReversed()) await one.close();
}
