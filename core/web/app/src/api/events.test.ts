import { expect, it } from "vitest";

import { eventReader } from "./events";

const stream = 'retry: 2000\n: watching\n\nevent: click\nid: c1\ndata: {"a":"b: c"}\n\n: beat\n\nevent: missed\ndata: 3\n\ndata: one\ndata:two\n\nevent: empty\n\n';
const wanted = [
  { kind: "click", id: "c1", data: '{"a":"b: c"}' },
  { kind: "missed", id: "c1", data: "3" },
  { kind: "message", id: "c1", data: "one\ntwo" },
];

it.each(["\n", "\r\n", "\r"])("reads a stream wherever it is cut, with lines ended by %j", (end) => {
  const text = stream.replaceAll("\n", end);
  for (let size = 1; size <= text.length; size++) {
    const read = eventReader();
    const got = [];
    for (let at = 0; at < text.length; at += size) {
      got.push(...read(text.slice(at, at + size)));
    }
    got.push(...read("\n")); // the last \r may have been half of an end
    expect(got).toEqual(wanted);
  }
});

it("keeps an event that is not whole", () => {
  const read = eventReader();
  expect(read("event: click\ndata: 1\n")).toEqual([]);
  expect(read("\n")).toEqual([{ kind: "click", id: "", data: "1" }]);
});
