import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { follow, pause, type StreamState } from "./follow";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A core that the test plays: each attempt takes the next of its answers. */
function core(answers: (() => Response | Error)[]) {
  const attempts: number[] = [];
  const signals: AbortSignal[] = [];
  const states: StreamState[] = [];
  const events: string[] = [];
  let hope: (() => void) | undefined;
  const begin = Date.now();
  const stop = follow({
    connect: (signal) => {
      const answer = answers[attempts.length]?.() ?? new Error("unreachable");
      attempts.push(Date.now() - begin);
      signals.push(signal);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    onState: (state) => states.push(state),
    onEvents: (got) => events.push(...got.map((e) => e.id)),
    onHope: (fn) => {
      hope = fn;
      return () => (hope = undefined);
    },
    random: () => 1,
  });
  return { attempts, signals, states, events, stop, hope: () => hope?.() };
}

/** A stream that the test writes to. Reading ends with an error when it is aborted, as with fetch. */
function stream() {
  let control: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (c) => void (control = c) });
  return {
    answer: () => new Response(body),
    write: (text: string) => control.enqueue(new TextEncoder().encode(text)),
    end: () => control.close(),
    cut: () => control.error(new Error("cut")),
  };
}

it("gives events, and opens the stream again when the core ends it", async () => {
  const [one, two] = [stream(), stream()];
  const c = core([one.answer, two.answer]);
  await vi.advanceTimersByTimeAsync(20_000);
  one.write("event: click\nid: a\ndata: 1\n\nevent: click\nid: b\nda");
  await vi.advanceTimersByTimeAsync(0);
  one.write("ta: 2\n\n");
  await vi.advanceTimersByTimeAsync(0);
  expect(c.events).toEqual(["a", "b"]);
  one.end();
  await vi.advanceTimersByTimeAsync(1_000);
  two.write("event: click\nid: c\ndata: 3\n\n");
  await vi.advanceTimersByTimeAsync(0);
  expect(c.events).toEqual(["a", "b", "c"]);
  expect(c.attempts).toEqual([0, 21_000]);
  expect(c.states).toEqual(["connecting", "open", "open"]);
  c.stop();
});

it("tries again ever less often, and as often as at first once a stream has held", async () => {
  const held = stream();
  const c = core([() => new Error("1"), () => new Response("", { status: 503 }), () => new Response("", { status: 429 }), held.answer]);
  await vi.advanceTimersByTimeAsync(7_000);
  expect(c.attempts).toEqual([0, 1_000, 3_000, 7_000]);
  expect(c.states).toEqual(["connecting", "waiting", "waiting", "waiting", "open"]);
  await vi.advanceTimersByTimeAsync(20_000);
  held.cut();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(c.attempts.slice(4)).toEqual([28_000]);
  expect(c.states.at(-1)).toBe("waiting");
  c.stop();
});

it("does not hammer a core whose streams end at once", async () => {
  const short = () => {
    const s = stream();
    s.end();
    return s.answer();
  };
  const c = core([short, short, short]);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(c.attempts).toEqual([0, 1_000, 3_000]);
  expect(c.states).toEqual(["connecting", "open", "waiting", "open", "waiting", "open", "waiting"]);
  c.stop();
});

it("gives up a stream that says nothing any more", async () => {
  const dumb = stream();
  const c = core([dumb.answer]);
  await vi.advanceTimersByTimeAsync(30_000);
  dumb.write(": beat\n\n");
  await vi.advanceTimersByTimeAsync(39_000);
  expect(c.signals[0]?.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(c.signals[0]?.aborted).toBe(true);
  c.stop();
});

it("asks no more for what it may not have", async () => {
  const c = core([() => new Response("", { status: 403 })]);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(c.attempts).toEqual([0]);
  expect(c.states).toEqual(["connecting", "refused"]);
});

it("tries at once when the network is back", async () => {
  const c = core([() => new Error("1"), () => new Error("2"), () => new Error("3")]);
  await vi.advanceTimersByTimeAsync(3_500);
  c.hope();
  await vi.advanceTimersByTimeAsync(0);
  expect(c.attempts).toEqual([0, 1_000, 3_000, 3_500]);
  c.stop();
});

it("says and asks nothing after its end", async () => {
  const open = stream();
  const c = core([open.answer]);
  await vi.advanceTimersByTimeAsync(0);
  open.write("event: click\nid: late\ndata: 1\n\n");
  c.stop();
  expect(c.signals[0]?.aborted).toBe(true);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect([c.attempts, c.states, c.events]).toEqual([[0], ["connecting", "open"], []]);
});

it("waits between half and all of a doubling time, half a minute at most", () => {
  expect([1, 2, 3, 6, 50].map((n) => [pause(n, 0), pause(n, 1)])).toEqual([[500, 1_000], [1_000, 2_000], [2_000, 4_000], [15_000, 30_000], [15_000, 30_000]]);
});
