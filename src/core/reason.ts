/** Why something failed, in one line. An unreachable database has an error for each of its addresses. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const errors = thrown instanceof AggregateError ? thrown.errors.map(reasonOf) : [];
  const text = thrown.message || errors.join("; ") || thrown.name;
  return text.split("\n")[0] ?? text;
}
