import type { Command } from "./command.ts";
import { changesCommand } from "./commands/changes.ts";
import { createCompletionCommand } from "./commands/completion.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { groupCommands } from "./commands/group.ts";
import { operatorCommands } from "./commands/operator.ts";
import { priceCommands } from "./commands/price.ts";
import { routeCommands } from "./commands/route.ts";
import { tokenCommands } from "./commands/token.ts";
import { upkeepCommands } from "./commands/upkeep.ts";
import { upstreamCommands } from "./commands/upstream.ts";
import { usageCommands } from "./commands/usage.ts";

const commands: readonly Command[] = [
  ...tokenCommands,
  ...groupCommands,
  ...priceCommands,
  ...upstreamCommands,
  ...routeCommands,
  ...usageCommands,
  changesCommand,
  ...operatorCommands,
  ...upkeepCommands,
  doctorCommand,
];

/** In the order of the help. Their texts are in the locales: see `Command`. */
export const allCommands: readonly Command[] = [...commands, createCompletionCommand(commands)];
