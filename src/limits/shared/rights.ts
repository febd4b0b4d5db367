import type { Link } from "./connection.ts";
import { replyWithin } from "./in-time.ts";
import type { Script, SharedStore } from "./store.ts";

/**
 * What the scripts call, each with arguments that do no harm: KEYS[1] is a string, KEYS[2] a hash and
 * KEYS[3] a sorted set that nobody else uses.
 */
const CALLS = {
  time: "",
  get: "KEYS[1]",
  set: "KEYS[1], '1', 'PX', '1000'",
  pttl: "KEYS[1]",
  pexpire: "KEYS[1], '1000'",
  hset: "KEYS[2], 'a', '1'",
  hget: "KEYS[2], 'a'",
  hmget: "KEYS[2], 'a'",
  hgetall: "KEYS[2]",
  hlen: "KEYS[2]",
  hexists: "KEYS[2], 'a'",
  hdel: "KEYS[2], 'a'",
  zadd: "KEYS[3], '1', 'a'",
  zincrby: "KEYS[3], '1', 'a'",
  zscore: "KEYS[3], 'a'",
  zcard: "KEYS[3]",
  zcount: "KEYS[3], '0', '1'",
  zrange: "KEYS[3], '0', '1'",
  zrevrange: "KEYS[3], '0', '1'",
  zrangebyscore: "KEYS[3], '0', '1'",
  zrangebylex: "KEYS[3], '-', '+'",
  zrem: "KEYS[3], 'b'",
  zremrangebyrank: "KEYS[3], '9', '9'",
  zremrangebyscore: "KEYS[3], '9', '9'",
  del: "KEYS[1], KEYS[2], KEYS[3]",
};

/** Commands that the user of the store needs; AUTH needs no right, and SELECT one of its own. */
export const STORE_COMMANDS: readonly string[] = [
  "eval",
  "evalsha",
  ...Object.keys(CALLS).toSorted(),
];

/** All that the user of the store needs, as an ACL rule. */
export const STORE_RIGHTS = `resetkeys ~parley:* resetchannels -@all ${STORE_COMMANDS.map((name) => `+${name}`).join(" ")}`;

/**
 * Calls everything once: the store tells what a user may do only to administrators. (Redis 7.0 has
 * `redis.acl_check_cmd` for scripts, and crashes where it is asked about EVAL.) Replies with the
 * commands that the user may not run, or with why the store takes no writes: a full one refuses only
 * the first write of a script, and takes a write that follows one that frees memory.
 */
const TRY_ALL: Script = {
  name: "try-all",
  lua: `
local missing, refusal = {}, nil
local function try(command, ...)
  local reply = redis.pcall(command, ...)
  local words = type(reply) == 'table' and reply.err
  if not words then return end
  if string.find(words, "can't run this command", 1, true) or string.find(words, 'NOPERM', 1, true) then
    table.insert(missing, command)
  else
    refusal = refusal or reply
  end
end
${Object.entries(CALLS)
  .map(([name, args]) => `try('${name}'${args === "" ? "" : `, ${args}`})`)
  .join("\n")}
if #missing == 0 and refusal then return refusal end
return missing`,
};

/** Rejects, as the store would, if the user lacks the right to a command that a later call needs. */
export async function checkRights(
  connection: Link,
  key: SharedStore["key"],
  ms: number,
): Promise<void> {
  const keys = ["string", "hash", "set"].map((kind) => key(`rights-${kind}`, "rights"));
  const tryAll = () => replyWithin(ms, connection.run(TRY_ALL, keys, []));
  const missing = await tryAll();
  if (Array.isArray(missing) && missing.length > 0) {
    const rights = missing.map((name) => `+${name}`).join(" ");
    throw new Error(`NOPERM the user lacks the rights ${rights}`);
  }
  // the first one was EVAL, this is EVALSHA
  await tryAll();
}
