/** What an answer's headers say of one window. */
export interface WindowState {
  readonly name: string;
  readonly limit: number;
  readonly left: number;
  /** When its oldest call leaves, by this device's clock. */
  readonly returnsAt: number;
}

const ENTRY = /"(\w+)"((?:;\w+=\d+)+)/g;

function entriesOf(header: string | null) {
  return [...(header ?? "").matchAll(ENTRY)].map(([, name = "", list = ""]) => {
    const values = [...list.matchAll(/;(\w+)=(\d+)/g)].map(
      ([, key = "", value]) => [key, Number(value)] as const,
    );
    return { name, values: new Map(values) };
  });
}

/** RateLimit and RateLimit-Policy, put together. */
export function windowsOf(headers: Headers, now: number): readonly WindowState[] {
  const policies = new Map(
    entriesOf(headers.get("ratelimit-policy")).map(({ name, values }) => [name, values.get("q")]),
  );
  return entriesOf(headers.get("ratelimit")).map(({ name, values }) => ({
    name,
    limit: policies.get(name) ?? 0,
    left: values.get("r") ?? 0,
    returnsAt: now + (values.get("t") ?? 0) * 1_000,
  }));
}
