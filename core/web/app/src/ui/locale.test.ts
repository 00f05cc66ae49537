import { expect, it, vi } from "vitest";

vi.mock("../config", () => ({ config: { locale: "en-IN" } }));

const { formatBytes } = await import("./locale");

it("says limits round, and sizes above a limit as above it", () => {
  expect([5 << 20, 8 << 20, 10 << 20, (5 << 20) + 1, 0, 1, 1023 << 10, 3 * 2 ** 30].map(formatBytes)).toEqual(["5 MiB", "8 MiB", "10 MiB", "5.1 MiB", "0 KiB", "0.1 KiB", "1,023 KiB", "3 GiB"]);
});
