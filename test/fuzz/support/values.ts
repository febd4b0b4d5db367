/** Values that nobody expects, and JSON texts that hold them. */
import fc from "fast-check";

const WORDS = ["", " ", "\0", "\u2028", "\ufeff", "\ud800", "a\udfff", "constructor", "__proto__"];
const MEANT = [
  "toString",
  "sk-bad-one",
  "sk-limited",
  "sk-broke",
  "gpt-4o",
  "{{reason}}",
  "$t(failed)",
];

export const oddText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom(...WORDS, ...MEANT),
  fc.nat(3_000).map((length) => "長".repeat(length)),
);
const oddNumber = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -0, -1, 1, 3_500, 3_501, 2 ** 31, 2 ** 53, 2 ** 63, 1e308, 0.1),
);
const oddValue = fc.oneof(
  oddText,
  oddNumber,
  fc.boolean(),
  fc.constant(null),
  fc.array(oddText, { maxLength: 4 }),
  fc.jsonValue({ maxDepth: 4 }),
);

/** What JSON.stringify never writes, and where it is to be put. */
const MARK = "\u0001raw";
const rawValue = fc.constantFrom(
  ...["1e400", "-1e400", "1e2", "9".repeat(400), "NaN", "-", "01", "'a'", "{}x", "[1,]"],
  ...['"\\ud800"', '"\\u0000"', '{"__proto__":{"polluted":1}}', '"a\nb"', '"\\x"'],
  ...['{"constructor":{"prototype":{"polluted":1}}}', '{"role":"user","role":1}'],
  ...[60, 64, 65, 3_000].map((depth) => "[".repeat(depth) + "]".repeat(depth)),
);

type Path = readonly (string | number)[];

function pathsIn(value: unknown, above: Path = []): Path[] {
  const inner =
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, one]) => pathsIn(one, [...above, key]))
      : [];
  return [above, ...inner];
}

/** The same with something else at a path; undefined takes it out. */
function withValue(value: unknown, [key, ...rest]: Path, put: unknown): unknown {
  if (key === undefined) return put;
  const copy: object = Array.isArray(value) ? [...value] : { ...Object(value) };
  Reflect.set(copy, key, withValue(Reflect.get(copy, key), rest, put));
  return copy;
}

interface Change {
  readonly at: number;
  readonly how: "replace" | "raw" | "remove" | "add";
  readonly name: string;
  readonly value: unknown;
}

function changed(body: unknown, { at, how, name, value }: Change): unknown {
  if (how === "add") return withValue(body, [name], value);
  const paths = pathsIn(body);
  const put = { replace: value, raw: MARK, remove: undefined }[how];
  return withValue(body, paths[at % paths.length] ?? [], put);
}

/** A body that succeeds, with up to three changes anywhere in it, as text. */
export function changedBody(example: unknown, names: readonly string[]): fc.Arbitrary<string> {
  const name = fc.oneof(fc.constantFrom(...names, "__proto__", "constructor"), oddText);
  const change: fc.Arbitrary<Change> = fc.record({
    at: fc.nat(),
    how: fc.constantFrom("replace", "replace", "raw", "remove", "add"),
    name,
    value: oddValue,
  });
  return fc.tuple(fc.array(change, { maxLength: 3 }), rawValue).map(([changes, raw]) => {
    const body = changes.reduce(changed, example);
    return (JSON.stringify(body) ?? "").replaceAll(JSON.stringify(MARK), () => raw);
  });
}

const anyText = fc.oneof(
  fc.json({ maxDepth: 6 }),
  fc.constantFrom("null", '""', "[]", "0", "", " ", "/**/{}", "{} {}", "{", '{"a":'),
  fc.constantFrom(60, 64, 65, 9_000).map((depth) => '{"a":'.repeat(depth)),
);

/** Bytes changed or left out. */
function broken(text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  return fc.tuple(text, changes).map(([whole, all]) => {
    const bytes = Buffer.from(whole);
    for (const [at, value] of all) if (bytes.length > 0) bytes[at % bytes.length] = value;
    return all.length % 2 === 0 ? bytes : bytes.subarray(0, bytes.length - 1);
  });
}

function inOtherEncodings(text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  return fc.tuple(text, fc.constantFrom("utf16le", "latin1", "bom")).map(([whole, encoding]) => {
    if (encoding === "bom") return Buffer.from(`\ufeff${whole}`);
    return Buffer.from(whole, encoding === "latin1" ? "latin1" : "utf16le");
  });
}

/** Bytes of a body of which most are near to one that succeeds. */
export function bodyBytes(example: unknown, names: readonly string[]): fc.Arbitrary<Uint8Array> {
  const text = changedBody(example, names);
  return fc.oneof(
    { arbitrary: text.map((one) => Buffer.from(one)), weight: 12 },
    { arbitrary: anyText.map((one) => Buffer.from(one)), weight: 2 },
    { arbitrary: broken(text), weight: 3 },
    { arbitrary: inOtherEncodings(text), weight: 1 },
    { arbitrary: fc.uint8Array({ maxLength: 200 }), weight: 1 },
    { arbitrary: fc.constantFrom(Buffer.alloc(70_000, " "), Buffer.alloc(0)), weight: 1 },
  );
}
