import { useEffect, useState } from "preact/hooks";

/** `#/tokens/3f2a` is ["tokens", "3f2a"]: where the page is, so that Back works and places can be linked. */
function placeIn(hash: string): readonly string[] {
  const words = hash.startsWith("#/") ? hash.slice(2).split("/") : [];
  return words.filter((word) => word !== "").map(decoded);
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

export function hrefOf(...words: readonly string[]): string {
  return `#/${words.map(encodeURIComponent).join("/")}`;
}

export function usePlace(): readonly string[] {
  const [place, setPlace] = useState(() => placeIn(location.hash));
  useEffect(() => {
    const follow = () => setPlace(placeIn(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return place;
}

export function goTo(...words: readonly string[]): void {
  location.hash = hrefOf(...words);
}
