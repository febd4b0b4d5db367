/** Room for whole answers, for what is tested without a server. */
import { systemClock } from "../../src/clock.ts";
import { createAnswerRoom } from "../../src/core/call/answer-room.ts";

const MAX_ANSWER_BYTES = 16_777_216;

export const answerRoom = createAnswerRoom(MAX_ANSWER_BYTES, systemClock);
