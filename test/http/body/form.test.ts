/** Forms of any shape are read or refused, and never waited for. */
import { once } from "node:events";
import { createServer } from "node:http";
import { beforeAll, expect, test } from "vitest";
import { toProxyError } from "../../../src/core/errors.ts";
import { formFieldIn, readForm } from "../../../src/http/body/form.ts";
import { writeForm } from "../../../src/http/body/form-text.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { postJson } from "../../support/http.ts";

const MAX_BYTES = 4_194_304;
let url = "";

/** Answers with the parts of a form, or why it was refused. */
beforeAll(async () => {
  const server = createServer((incoming, outgoing) => {
    void readForm(incoming, { maxBytes: MAX_BYTES, onArrived: () => undefined })
      .then((parts) =>
        parts.map(({ name, pieces, file }) => [name, String(Buffer.concat(pieces)), file?.name]),
      )
      .catch((error: unknown) => toProxyError(error).code)
      .then((told) => outgoing.end(JSON.stringify(told)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  url = `http://127.0.0.1:${address.port}`;
  closeAfterFile({
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  });
});

const send = async (body: string | Buffer, type = "multipart/form-data; boundary=x") =>
  (await postJson(url, Buffer.from(body), { headers: { "content-type": type } })).json;

const field = (name: string, content: string) =>
  `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
const file = (name: string, content: string) =>
  `--x\r\nContent-Disposition: form-data; name="${name}"; filename="a b.mp3"\r\n\r\n${content}\r\n`;

test.each([
  [
    "fields and files in any order",
    `${field("a", "ü")}${file("f", "1\r\n2")}${field("b", "")}--x--`,
  ],
  ["what stands before and behind them", `hello\r\n${field("a", "ü")}--x--\r\nbye`],
])("%s", async (_name, body) => {
  const parts = (await send(body)) as unknown[][];
  expect(parts[0]).toEqual(["a", "ü", null]);
  if (parts.length > 1)
    expect(parts.slice(1)).toEqual([
      ["f", "1\r\n2", "a b.mp3"],
      ["b", "", null],
    ]);
});

test("a boundary in quotes, and another charset", async () => {
  expect(await send(`${field("a", "b")}--x--`, 'multipart/form-data; boundary="x"')).toEqual([
    ["a", "b", null],
  ]);
});

test.each([
  ["nothing", ""],
  ["no boundary", "hello"],
  ["another boundary", "--y\r\n\r\n--y--"],
  ["a part without an end", field("a", "b").slice(0, -2)],
  ["a file without an end", file("f", "b")],
  ["a head without an end", "--x\r\nContent-Disposition: form-data"],
  ["half a boundary", `${field("a", "b")}--`],
  ["too many parts", `${field("a", "b").repeat(300)}--x--`],
])("%s is refused", async (_name, body) => {
  expect(await send(body)).toBe("bad_request");
});

test("a field that is too long is refused, and what has no name is nameless", async () => {
  expect(await send(`${field("a", "b".repeat(300_000))}--x--`)).toBe("field_too_long");
  const nameless = "--x\r\nContent-Disposition: form-data\r\n\r\nb\r\n--x--";
  expect(await send(nameless)).toEqual([["", "b", null]]);
});

test("large files pass piece by piece", async () => {
  const content = "0123456789".repeat(300_000);
  expect(await send(`${file("f", content)}--x--`)).toEqual([["f", content, "a b.mp3"]]);
});

test("what is written is what was read, whatever stands in it", async () => {
  const tricky =
    '"\r\n--x\r\nContent-Disposition: form-data; name="model"\r\n\r\ndear\r\n--x--\r\n';
  const parts = [
    { name: "a", pieces: [Buffer.from(tricky)], file: null },
    {
      name: "f",
      pieces: [Buffer.from("1"), Buffer.from("2")],
      file: { name: 'a"b', contentType: "text/html\r\nX: y" },
    },
  ];
  const { contentType, bytes } = writeForm(parts);
  expect(bytes.toString()).toContain("Content-Type: application/octet-stream");
  expect(await send(bytes, contentType)).toEqual([
    ["a", tricky, null],
    ["f", "12", "a%22b"],
  ]);
  expect(formFieldIn(parts, "a")).toBe(tricky);
  expect(() => formFieldIn([...parts, ...parts], "a")).toThrow(
    expect.objectContaining({ code: "field_repeated" }),
  );
});
