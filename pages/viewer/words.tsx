/** A text of the document, which is English; what is in backticks is code. Nothing in it is HTML. */
export function Words({ text }: { readonly text: string }) {
  return (
    <span lang="en">
      {text.split("`").map((part, at) => (at % 2 === 1 ? <code>{part}</code> : part))}
    </span>
  );
}
