import type { GroupDetails } from "../core/accounts/groups.ts";
import { fieldError } from "../core/common-errors.ts";
import { ProxyError } from "../core/errors.ts";
import { parseFields } from "./fields.ts";
import type { AdminOptions } from "./operations.ts";
import { present } from "./present.ts";
import { quotaChangesOf, type Schemas } from "./schemas.ts";
import { shownGroup, shownQuotas } from "./views.ts";

const DEFAULT_LISTED = 1_000;
/** No group's: the first takes a token out of its group, and an address can't end in the others. */
const NO_NAMES: ReadonlySet<string> = new Set(["none", ".", ".."]);

/** What an operator can do with groups, which go by their names. */
export function groupOperations({ groups, ledger, clock }: AdminOptions, schemas: Schemas) {
  return {
    async create(given: unknown) {
      const fields = parseFields(schemas.newGroup, given);
      const { name, comment } = fields;
      if (NO_NAMES.has(name)) throw fieldError("field_type", "name", { expected: "group_name" });
      return shownGroup(await groups.create({ name, comment, quotas: quotaChangesOf(fields) }));
    },
    /** Changes the fields that are given. */
    async update(name: string, given: unknown) {
      const fields = parseFields(schemas.groupChanges, given);
      const changes = { comment: fields.comment, quotas: quotaChangesOf(fields) };
      return shownGroup(known(await groups.update(name, changes)));
    },
    /** By name. Pass `next` as `after` for more. */
    async list(given: unknown) {
      const { limit: chosen, after } = parseFields(schemas.groupList, given);
      const limit = chosen ?? DEFAULT_LISTED;
      const found = await groups.list({ limit, ...present({ after }) });
      return {
        groups: found.map(shownGroup),
        next: found.length < limit ? null : (found.at(-1)?.name ?? null),
      };
    },
    async show(name: string) {
      const group = known(await groups.show(name));
      const use = await ledger.used(group.id);
      return { ...shownGroup(group), quotas: shownQuotas(group, use, clock.wallMs()) };
    },
    /** Its tokens must have left it. */
    remove: async (name: string) => shownGroup(known(await groups.remove(name))),
  };
}

function known(found: GroupDetails | null): GroupDetails {
  if (found === null) throw new ProxyError("group_unknown");
  return found;
}
