import { codePointsOf, MAX_SECONDS, type Units } from "../../core/accounts/units.ts";
import {
  type ExpectedTokens,
  expectedQuestion,
  IMAGE_TOKENS,
} from "../../core/call/reserved-tokens.ts";

/** Most tokens of an image that a model makes: of high quality, 1024 by 1536. */
const MADE_IMAGE_TOKENS = 6_300;
/** Speech in any script, by the bytes of its text: a second has so many, and each so many tokens. */
const SPOKEN_BYTES_PER_SECOND = 12;
const SPOKEN_TOKENS_PER_BYTE = 1.5;
/** Compressed speech has more, but for calls by phone. */
const AUDIO_BYTES_PER_SECOND = 4_000;
/** What models hear, and what they write of it. */
const HEARD_TOKENS_PER_SECOND = 17;
const WRITTEN_TOKENS_PER_SECOND = 5;

export function expectedOfImages(textBytes: number, given: number, made: number): ExpectedTokens {
  return {
    question: expectedQuestion(textBytes, given * IMAGE_TOKENS),
    answer: MADE_IMAGE_TOKENS,
    answers: made,
    passesUnseen: true,
    units: [{ price: "perImage", amount: made }],
  };
}

export function expectedOfSpeech(text: string): ExpectedTokens {
  const bytes = Buffer.byteLength(text);
  return {
    question: expectedQuestion(bytes),
    answer: Math.ceil(bytes * SPOKEN_TOKENS_PER_BYTE),
    answers: 1,
    passesUnseen: true,
    units: [
      { price: "perMillionCharacters", amount: codePointsOf(text) },
      secondsOf(bytes / SPOKEN_BYTES_PER_SECOND),
    ],
  };
}

export function expectedOfAudio(file: Uint8Array, bytes: number): ExpectedTokens {
  const units = secondsOf(bytes / (waveBytesPerSecond(file) ?? AUDIO_BYTES_PER_SECOND));
  return {
    question: units.amount * HEARD_TOKENS_PER_SECOND,
    answer: units.amount * WRITTEN_TOKENS_PER_SECOND,
    answers: 1,
    units: [units],
  };
}

function secondsOf(seconds: number): Units {
  return { price: "perMinute", amount: Math.min(Math.ceil(seconds), MAX_SECONDS) };
}

const WAVE = /^RIFF.{4}WAVEfmt /s;
const WAVE_HEAD_BYTES = 36;
/** Neither is compressed: integers, and floats. */
const PLAIN_FORMATS = [1, 3];

/** By the fields that decoders go by, as the byte rate of the header may be anything. */
function waveBytesPerSecond(file: Uint8Array): number | null {
  const head = Buffer.from(file.buffer, file.byteOffset, Math.min(file.length, WAVE_HEAD_BYTES));
  const isPlain =
    head.length === WAVE_HEAD_BYTES &&
    WAVE.test(head.toString("latin1")) &&
    PLAIN_FORMATS.includes(head.readUInt16LE(20));
  if (!isPlain) return null;
  const [channels, rate, bits] = [
    head.readUInt16LE(22),
    head.readUInt32LE(24),
    head.readUInt16LE(34),
  ];
  const bytesPerSecond = (channels * rate * bits) / 8;
  return bytesPerSecond >= 1 && bytesPerSecond <= MAX_WAVE_BYTES_PER_SECOND ? bytesPerSecond : null;
}

/** Two channels of 24 bits at 96 kHz. */
const MAX_WAVE_BYTES_PER_SECOND = 576_000;
