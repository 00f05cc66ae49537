// Keeps a stream of events open: what ends is opened again, ever less often while that fails.
import { eventReader, type ServerEvent } from "./events";

/** connecting: for the first time; waiting: it was lost or could not be had, and is tried again; refused: it never will be had. */
export type StreamState = "connecting" | "open" | "waiting" | "refused";

export interface Follower {
  /** Asks for the stream. */
  connect: (signal: AbortSignal) => Promise<Response>;
  onState: (state: StreamState) => void;
  onEvents: (events: ServerEvent[]) => void;
  /** Calls back when trying at once may help, until the result is called: the network is back. */
  onHope?: (hope: () => void) => () => void;
  random?: () => number;
}

const first = 1_000; // ms before the second attempt
const most = 30_000; // ms between attempts
const silence = 40_000; // ms; the core says something every 15 s, so a stream that says nothing for longer is dead
const proven = 10_000; // ms that a stream lasts which shows that nothing is wrong

/** ms before another attempt after so many failures: doubled each time, up to half a minute, and never the same for all. */
export function pause(failures: number, random: number): number {
  return Math.min(most, first * 2 ** Math.min(failures - 1, 10)) * (0.5 + random / 2);
}

/** Follows a stream until the result is called. */
export function follow(follower: Follower): () => void {
  const end = new AbortController();
  void keepOpen(follower, end.signal);
  return () => end.abort();
}

async function keepOpen(f: Follower, signal: AbortSignal): Promise<void> {
  const tell = (state: StreamState) => {
    if (!signal.aborted) {
      f.onState(state);
    }
  };
  tell("connecting");
  for (let failures = 0; !signal.aborted; ) {
    let opened = Infinity;
    const outcome = await once(f, signal, () => {
      opened = Date.now();
      tell("open");
    });
    if (outcome === "refused") {
      tell("refused");
      return;
    }
    // The core ends each stream after minutes, which is no failure.
    failures = Date.now() - opened >= proven ? 0 : failures + 1;
    if (failures > 0 || outcome === "failed") {
      tell("waiting");
    }
    await hopeOr(pause(Math.max(failures, 1), (f.random ?? Math.random)()), f.onHope, signal);
  }
}

/** One stream from its beginning to its end. */
async function once(f: Follower, signal: AbortSignal, opened: () => void): Promise<"ended" | "failed" | "refused"> {
  const dead = new AbortController();
  const either = AbortSignal.any([signal, dead.signal]);
  let watch = setTimeout(() => dead.abort(), silence);
  try {
    const response = await f.connect(either);
    if (!response.ok || !response.body) {
      void response.body?.cancel();
      return forGood(response.status) ? "refused" : "failed";
    }
    opened();
    const read = eventReader();
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    either.addEventListener("abort", () => void reader.cancel().catch(() => undefined));
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) {
        return dead.signal.aborted ? "failed" : "ended";
      }
      clearTimeout(watch);
      watch = setTimeout(() => dead.abort(), silence);
      const events = read(decoder.decode(value, { stream: true }));
      if (events.length > 0 && !signal.aborted) {
        f.onEvents(events);
      }
    }
  } catch {
    return "failed"; // cut, dead, not to be reached
  } finally {
    clearTimeout(watch);
    dead.abort();
  }
}

// What the core refuses it refuses again, but for too many streams, which may become fewer, and a token that is renewed.
function forGood(status: number): boolean {
  return status >= 400 && status < 500 && status !== 401 && status !== 408 && status !== 429;
}

function hopeOr(ms: number, onHope: Follower["onHope"], signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = () => {
      clearTimeout(timer);
      forget?.();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const forget = onHope?.(done);
    signal.addEventListener("abort", done);
  });
}
