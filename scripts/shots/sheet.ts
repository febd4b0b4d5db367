/** All pictures on one page, so that one look finds what is wrong. */
import type { ShotVariant } from "./variants.ts";
import type { ShotView } from "./views.ts";

const STYLE = `body { font: 14px/1.4 system-ui, sans-serif; margin: 1rem; background: #888; color: #fff }
section { display: flex; gap: 1rem; overflow-x: auto; align-items: start; padding-bottom: 1rem }
figure { margin: 0; flex: none } img { display: block; max-height: 32rem; max-width: 40rem }`;

export function contactSheet(
  views: readonly ShotView[],
  variants: readonly ShotVariant[],
  nameOf: (view: ShotView, variant: ShotVariant) => string,
): string {
  const sections = views.map((view) => {
    const figures = variants.map((variant) => {
      const name = nameOf(view, variant);
      const caption = `${variant.language} ${variant.scheme} ${variant.width}`;
      return `<figure><a href="${name}"><img src="${name}" loading="lazy" alt="${view.name} ${caption}"></a>
<figcaption>${caption}</figcaption></figure>`;
    });
    return `<h2>${view.name}</h2>\n<section>\n${figures.join("\n")}\n</section>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Pictures of the pages</title>
<style>${STYLE}</style>
${sections.join("\n")}
</html>
`;
}
