import { styleText } from "node:util";

/** Where output goes. */
export interface Screen {
  /** Null: a pipe or a file, where nothing is cut. */
  readonly columns: number | null;
  readonly hasColors: boolean;
}

/** A pipe. */
export const plainScreen: Screen = { columns: null, hasColors: false };

const styles = {
  heading: "bold",
  error: "red",
  good: "green",
  bad: "red",
  warning: "yellow",
} as const;

export type Style = keyof typeof styles;

/** The text in this style, where colors are shown. */
export function painted(text: string, style: Style, { hasColors }: Screen): string {
  // whether the stream shows colors was asked once, when the process began
  return hasColors ? styleText(styles[style], text, { validateStream: false }) : text;
}
