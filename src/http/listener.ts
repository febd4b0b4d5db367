/** A port besides the main HTTP port on which calls arrive. */
export interface Listener {
  /** For the log. */
  readonly name: string;
  /** Resolves with the port once it listens; 0 takes any free one. */
  listen(host: string, port: number): Promise<number>;
  /** Tells whoever asks to send calls elsewhere. Those that come are still taken. */
  retire(): void;
  /** Takes no new connections. Resolves when the port is closed. */
  closePort(): Promise<void>;
  /** Takes no new calls; open ones may finish. */
  drain(): void;
  close(): Promise<void>;
}

/** A listener and the port set for it. */
export interface ListenerAt {
  readonly listener: Listener;
  readonly port: number;
}
