/** Translates the events of a stream as they come. Returns the text of the events to send, or none. */
export interface EventTranslation {
  /** The data of the next event. Throws for what is no event of such a stream. */
  next(data: string): string;
  /** No further event comes. */
  end(): string;
  /** Sent after some silence; it means nothing. */
  readonly ping: string;
}

/** Keeps a connection open, and is no event. */
export const COMMENT = ": ping\n\n";

/** An error passes as it is: whoever reads the stream reads errors in any form. */
export function errorEvent(data: string): string {
  return `event: error\ndata: ${data.replaceAll("\n", "\ndata: ")}\n\n`;
}
