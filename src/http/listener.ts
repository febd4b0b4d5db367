/** A port beside that of HTTP, on which calls come in. */
export interface Listener {
  /** For the log. */
  readonly name: string;
  /** Resolves with the port once it listens; 0 takes any free one. */
  listen(host: string, port: number): Promise<number>;
  /** From now on nothing new is taken; what is being answered may end. */
  drain(): void;
  close(): Promise<void>;
}

/** With the port that is set for it. */
export interface ListenerAt {
  readonly listener: Listener;
  readonly port: number;
}
