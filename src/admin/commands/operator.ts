import { offerSetupLink, SETUP_MINUTES } from "../../http/call/setup-link.ts";
import type { Command } from "../command.ts";

export const operatorCommands: readonly Command[] = [
  {
    name: "admin reset",
    async run(_given, { withStorage, settings, say }) {
      const { ADMIN_TOKEN: adminToken } = settings(["ADMIN_TOKEN"]);
      const link = await withStorage(async ({ operator, clock }) => {
        await operator.reset();
        return adminToken === null ? offerSetupLink(operator, clock.wallMs()) : null;
      });
      if (link === null) {
        const value = { path: null, expires_at: null };
        return { value, text: `${say("result.sessions_ended")}\n` };
      }
      const { path, expiresMs } = link;
      const text = `${say("result.operator_forgotten", { minutes: SETUP_MINUTES })}\n\n${path}\n`;
      return { value: { path, expires_at: new Date(expiresMs).toISOString() }, text };
    },
  },
];
