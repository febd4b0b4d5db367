import { createContext } from "preact";

/** False while the views wait for a sign-in, unseen. */
export const ViewsSeen = createContext(true);
