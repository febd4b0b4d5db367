import { useEffect, useState } from "preact/hooks";

/** `#/openai/post/v1/chat/completions`: what is shown, so that Back works and requests can be linked. */
function placeNow(): string {
  const written = location.hash.replace(/^#\/?/, "");
  try {
    return decodeURI(written);
  } catch {
    return written;
  }
}

export const linkTo = (place: string): string => `#/${encodeURI(place)}`;

export function useViewerPlace(): string {
  const [place, setPlace] = useState(placeNow);
  useEffect(() => {
    const follow = () => setPlace(placeNow());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return place;
}
