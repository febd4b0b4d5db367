/** How each page is looked at. */
export type ShotLanguage = "en" | "zh_CN" | "zh_TW" | "ru_RU";

export interface ShotVariant {
  readonly language: ShotLanguage;
  readonly scheme: "light" | "dark";
  readonly width: 1280 | 390;
}

export const shotLanguages: readonly ShotLanguage[] = ["en", "zh_CN", "zh_TW", "ru_RU"];
const schemes = ["light", "dark"] as const;
const widths = [1280, 390] as const;

export const shotVariants: readonly ShotVariant[] = shotLanguages.flatMap((language) =>
  schemes.flatMap((scheme) => widths.map((width) => ({ language, scheme, width }))),
);
