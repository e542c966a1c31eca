import type { z } from 'zod';

/** What a sentence about a subject says of the user's model. */
export interface RepresentedModel {
  readonly criticalFraction: number;
  /** Share of each head that rotates. */
  readonly rotaryShare?: number | undefined;
}

/** What two runs on a subject must agree in, beside its kind, before one is set beside the other. */
export interface SubjectConditions {
  /** The model and its weights. */
  readonly model: string;
  readonly graph: string;
  /** Digest of the texts that it is asked on; undefined: its kind has texts of its own. */
  readonly texts: string | undefined;
  /** Pairs that are held within their trained angles. */
  readonly heldPairs: number;
  /** What its nats are to those of the probe's language. */
  readonly lossScale: number;
}

/** Everything in which reports of one kind of subject differ from those of another. */
export interface SubjectKind<Schema extends z.ZodObject, Entry = z.infer<Schema>> {
  /** Its entry in a report. */
  readonly schema: Schema;
  /** The title of the table of figures. */
  readonly title: string;
  /** What its figures say about the user's model, and what they do not say. */
  readonly honesty: string;
  /** A small model answers in place of the user's, so its figures are not those of the model itself. */
  readonly standsIn: boolean;
  /** Names it with its weights, to stand in a line of conditions. */
  readonly credit: (entry: Entry) => string;
  /** What answered, as a clause. */
  readonly who: (entry: Entry) => string;
  /** What answered and how well it represents the model, in full sentences. */
  readonly describe: (entry: Entry, model: RepresentedModel) => string;
  /** What makes advice that rests on it less certain; '' if nothing does. */
  readonly caveat: (entry: Entry) => string;
  /** Options of a shell that ask it again; undefined if none are needed, or a program passed it. */
  readonly argument: (entry: Entry) => string | undefined;
  readonly conditions: (entry: Entry) => SubjectConditions;
}

/** Freezes a kind of subject and infers its entry in a report. */
export function defineSubject<Schema extends z.ZodObject>(
  kind: SubjectKind<Schema>,
): SubjectKind<Schema> {
  return Object.freeze(kind);
}

/** The start of a SHA-256, enough to tell two apart. */
export const digestStart = (sha256: string): string => sha256.slice(0, 12);
