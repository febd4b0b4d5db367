/** What the server says to its pages, in the HTML: see src/dialects/pages/html.ts. */
export interface PageData {
  /** The tag of the language whose texts are here. */
  readonly language: string;
  readonly texts: Texts;
  /** The file of each language's texts, by tag. */
  readonly textFiles: Readonly<Record<string, string>>;
  /** Where questions are posted, relative. */
  readonly route: string;
  readonly model: string;
  /** Empty: any model. */
  readonly models: readonly string[];
  readonly maxTokens: number;
  readonly maxTokensLimit: number;
  /** Whether callers without a key or token may ask. */
  readonly sharedKey: boolean;
  /** Of usage records; 0: without end. */
  readonly retentionDays: number;
}

export interface Texts {
  readonly [key: string]: string | Texts;
}

const element = document.getElementById("data");
/** Cast: the server wrote it. */
export const data = JSON.parse(element?.textContent ?? "{}") as PageData;
