import { ok } from "./check.ts";
import { type CopySeen, copiesFindings } from "./checks/copies.ts";
import { type SafetySettings, settingFindings } from "./checks/safety.ts";
import { storageFindings } from "./checks/storage.ts";
import type { StorageSeen } from "./local.ts";
import type { Checked } from "./run.ts";

export interface Inside {
  readonly storage: StorageSeen;
  /** This copy first, then what the others have told. */
  readonly copies: readonly CopySeen[];
  readonly settings: SafetySettings;
}

/** What a server can see of itself, without its public address. */
export function lookInside({ storage, copies, settings }: Inside): readonly Checked[] {
  const open = settingFindings(settings);
  return [
    { id: "storage", findings: storageFindings(storage) },
    { id: "copies", findings: copiesFindings(copies) },
    { id: "safety", findings: open.length > 0 ? open : [ok("safety_ok")] },
  ];
}
