/** Room for whole answers, for what is tested without a server. */
import { systemClock } from "../../src/clock.ts";
import { createAnswerRoom } from "../../src/core/call/answer-room.ts";

export const answerRoom = createAnswerRoom({
  maxAnswerBytes: 16_777_216,
  clock: systemClock,
  collect: () => undefined,
});
