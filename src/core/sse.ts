import { ProxyError } from "./errors.ts";

/**
 * Most events are far below their bound. One that has to be parsed as a whole may take this many times
 * as much, because nothing else of its stream is held.
 */
export const PARSED_EVENTS = 4;

/** What a further line takes besides its text, so that empty ones are bounded, too. */
const LINE_COST = 32;

export interface EventParser {
  push(chunk: Uint8Array): string[];
  /** The last event, if only line ends are missing; a truncated one yields what it had. */
  end(): string[];
}

/**
 * Returns the data of each server-sent event, whatever pieces the bytes came in: UTF-8 and line ends
 * (LF, CRLF, CR) may be split anywhere. Comments and other fields are skipped. An event larger than
 * `maxEventBytes` (counted in UTF-16 units, close enough for a bound) is a bad answer.
 */
export function createEventParser(maxEventBytes: number): EventParser {
  const decoder = new TextDecoder();
  /** A line whose end has not come: put together once, because adding to it copies it each time. */
  let line: string[] = [];
  let lineSize = 0;
  /** A CR at the very end waits: its LF may be the first byte of the next piece. */
  let heldBack = "";
  let dataLines: string[] = [];
  let dataSize = -LINE_COST;

  const takeLine = (line: string, events: string[]) => {
    if (line === "") {
      if (dataLines.length > 0) events.push(dataLines.join("\n"));
      dataLines = [];
      dataSize = -LINE_COST;
      return;
    }
    if (!line.startsWith("data:")) return;
    const data = line.slice(line.charCodeAt(5) === 32 ? 6 : 5);
    dataSize += line.length + LINE_COST;
    if (dataSize > maxEventBytes) throw new ProxyError("upstream_bad_answer");
    dataLines.push(data);
  };

  const takeText = (text: string): string[] => {
    const events: string[] = [];
    const all = heldBack + text;
    heldBack = all.endsWith("\r") ? "\r" : "";
    const lines = withPlainEnds(heldBack === "" ? all : all.slice(0, -1));
    let start = 0;
    for (let end = lines.indexOf("\n"); end !== -1; end = lines.indexOf("\n", start)) {
      takeLine(line.join("") + lines.slice(start, end), events);
      line = [];
      lineSize = 0;
      start = end + 1;
    }
    line.push(lines.slice(start));
    lineSize += lines.length - start;
    if (lineSize > maxEventBytes) throw new ProxyError("upstream_bad_answer");
    return events;
  };

  return {
    push: (chunk) => takeText(decoder.decode(chunk, { stream: true })),
    end: () => takeText(`${decoder.decode()}\n\n`),
  };
}

function withPlainEnds(lines: string): string {
  return lines.includes("\r") ? lines.replace(/\r\n?/g, "\n") : lines;
}
