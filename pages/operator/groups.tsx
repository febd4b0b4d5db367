import { GroupPage } from "./groups/detail.tsx";
import { CreateGroup, EditGroup } from "./groups/edit.tsx";
import { GroupList } from "./groups/list.tsx";
import type { ViewProps } from "./views.ts";

/** `#/groups`, `#/groups/new`, `#/groups/show/NAME` and `#/groups/edit/NAME`. */
export function GroupsView({ rest: [first, name] }: ViewProps) {
  if (first === "new") return <CreateGroup />;
  if (name === undefined) return <GroupList />;
  return first === "edit" ? (
    <EditGroup key={name} name={name} />
  ) : (
    <GroupPage key={name} name={name} />
  );
}
