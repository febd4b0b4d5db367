import { CreateToken } from "./tokens/create.tsx";
import { TokenPage } from "./tokens/detail.tsx";
import { EditToken } from "./tokens/edit.tsx";
import { TokenList } from "./tokens/list.tsx";
import type { ViewProps } from "./views.ts";

/** `#/tokens`, `#/tokens/new`, `#/tokens/like/ID`, `#/tokens/ID` and `#/tokens/ID/edit`. */
export function TokensView({ rest: [first, second] }: ViewProps) {
  if (first === undefined) return <TokenList />;
  if (first === "new") return <CreateToken key="new" like={null} />;
  if (first === "like" && second !== undefined) return <CreateToken key={second} like={second} />;
  if (second === "edit") return <EditToken key={first} id={first} />;
  return <TokenPage key={first} id={first} />;
}
