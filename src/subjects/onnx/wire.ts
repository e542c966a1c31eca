import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { errors } from './refusals.js';

/**
 * Reads and writes Protobuf's wire format, as far as an ONNX file needs it. Fields are read by
 * their place in the file, so gigabytes of weights are skipped without being loaded.
 *
 * Source: the encoding page of the Protocol Buffers documentation; field numbers from onnx.proto3.
 */

/** The bytes [from, from + length) of the file. */
export interface Range {
  readonly from: number;
  readonly length: number;
}

/** A field of a message: a number, or a range of bytes in the file. */
export type Field = { readonly number: number } & ({ readonly value: bigint } | Range);

/** Bytes that can be read from any position. */
export interface ByteSource {
  readonly size: number;
  read(from: number, length: number): Buffer;
}

/** How many bytes are read at a time. The headers of fields are close together. */
const WINDOW = 1 << 16;

/** A file that is read in windows. Close it after the graph has been read. */
export class FileBytes implements ByteSource {
  readonly size: number;
  readonly #fd: number;
  #window: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
    this.size = fstatSync(this.#fd).size;
  }

  read(from: number, length: number): Buffer {
    if (from < 0 || length < 0 || from + length > this.size)
      throw errors.damaged('it ends too early');
    if (length > WINDOW) return this.#readAt(from, length);
    if (from < this.#at || from + length > this.#at + this.#window.length) {
      this.#window = this.#readAt(from, Math.min(WINDOW, this.size - from));
      this.#at = from;
    }
    return this.#window.subarray(from - this.#at, from - this.#at + length);
  }

  #readAt(from: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const count = readSync(this.#fd, buffer, done, length - done, from + done);
      if (count === 0) throw errors.damaged('it ends too early');
      done += count;
    }
    return buffer;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The longest varint: ten bytes of seven bits hold 64 bits. */
const VARINT_BYTES = 10;

function varint(source: ByteSource, from: number): { value: bigint; next: number } {
  let value = 0n;
  for (let i = 0; i < VARINT_BYTES; i++) {
    const byte = source.read(from + i, 1)[0]!;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: from + i + 1 };
  }
  throw errors.damaged('a number in it does not end');
}

/**
 * Yields the fields of the message in a range, in the order of the file.
 *
 * @throws RopeEvalError `onnx_damaged` if the bytes are not such a message
 */
export function* fieldsOf(source: ByteSource, { from, length }: Range): Generator<Field> {
  const to = from + length;
  let at = from;
  while (at < to) {
    const tag = varint(source, at);
    const number = Number(tag.value >> 3n);
    const type = Number(tag.value & 7n);
    if (number === 0) throw errors.damaged('a field has the number 0');
    if (type === 0) {
      const { value, next } = varint(source, tag.next);
      at = next;
      yield { number, value };
    } else if (type === 2) {
      const { value, next } = varint(source, tag.next);
      const length = Number(value);
      if (next + length > to) throw errors.damaged('a field is longer than what holds it');
      at = next + length;
      yield { number, from: next, length };
    } else if (type === 1 || type === 5) {
      const length = type === 1 ? 8 : 4;
      if (tag.next + length > to) throw errors.damaged('a field is longer than what holds it');
      at = tag.next + length;
      yield { number, from: tag.next, length };
    } else throw errors.damaged(`a field has the wire type ${type}`);
  }
}

/** Converts a 64-bit varint to a signed number. */
export const signed = (value: bigint): number => Number(BigInt.asIntN(64, value));

/** Writes a number as a varint. */
export function varintBytes(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest ? low | 0x80 : low);
  } while (rest);
  return Buffer.from(bytes);
}

/** Writes a field that holds a number. */
export const numberField = (number: number, value: number | bigint): Buffer =>
  Buffer.concat([varintBytes(number << 3), varintBytes(value)]);

/** Writes a field that holds bytes, text or a message. */
export function bytesField(number: number, value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varintBytes((number << 3) | 2), varintBytes(bytes.length), bytes]);
}
