import { offerSetupLink, SETUP_MINUTES } from "../../http/call/setup-link.ts";
import type { Command } from "../command.ts";

export const operatorCommands: readonly Command[] = [
  {
    name: "admin reset",
    summary: "Forgets the operator's chosen token, ends all sessions and prints a new link.",
    notes: [
      "The link chooses a new token, once and within 15 minutes; open its path at the public address.",
      "Running servers follow within a second. ADMIN_TOKEN takes precedence: while it is set, only",
      "the sessions end.",
    ],
    async run(_given, { withStorage, settings }) {
      const { ADMIN_TOKEN: adminToken } = settings(["ADMIN_TOKEN"]);
      const link = await withStorage(async ({ operator, clock }) => {
        await operator.reset();
        return adminToken === null ? offerSetupLink(operator, clock.wallMs()) : null;
      });
      if (link === null) {
        const text = "All sessions are ended. The token is still ADMIN_TOKEN: change it there.\n";
        return { value: { path: null, expires_at: null }, text };
      }
      const { path, expiresMs } = link;
      const text = `All sessions are ended, and the operator's token is forgotten. To choose another, open
this path at the public address within ${SETUP_MINUTES} minutes:

${path}
`;
      return { value: { path, expires_at: new Date(expiresMs).toISOString() }, text };
    },
  },
];
