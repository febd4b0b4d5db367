import type { Conversations } from "../../core/conversations/conversations.ts";
import { type Builder, prepare } from "../driver/queries.ts";
import { storedPrompt } from "./create.ts";
import type { ConversationParts } from "./parts.ts";
import { contextOf } from "./row.ts";

const name = "global_prompt";

type GlobalPrompt = Pick<Conversations, "globalPrompt" | "setGlobalPrompt">;

export function createGlobalPrompt(parts: ConversationParts): GlobalPrompt {
  const { driver, builder, codec, limits } = parts;
  const { read, write, remove } = settingQueries(builder);
  const context = contextOf.setting(name);
  return {
    async globalPrompt() {
      const [row] = await driver.all(read({ name }));
      return row === undefined ? null : codec.readText(row.value, context);
    },
    async setGlobalPrompt(prompt) {
      const value = storedPrompt(codec, limits, prompt, context);
      await driver.all(value === null ? remove({ name }) : write({ name, value }));
    },
  };
}

function settingQueries(builder: Builder) {
  return {
    read: prepare<{ name: string }, { value: string }>(({ text }) =>
      builder.selectFrom("settings").select("value").where("name", "=", text("name")),
    ),
    write: prepare<{ name: string; value: string }, unknown>(({ text }) =>
      builder
        .insertInto("settings")
        .values({ name: text("name"), value: text("value") })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: text("value") })),
    ),
    remove: prepare<{ name: string }, unknown>(({ text }) =>
      builder.deleteFrom("settings").where("name", "=", text("name")),
    ),
  };
}
