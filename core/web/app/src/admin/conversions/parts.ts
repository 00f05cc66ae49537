// Divides a CSV file into parts that are sent one after the other, so that progress can be seen and stopped.

export interface Part {
  /** With the header. */
  text: string;
  /** Lines of the file that it holds, beside the header. */
  lines: number;
  /** Where a line of the part stands in the whole file. */
  lineOf: (line: number) => number;
}

/** Ends of records: a line break inside of quotes is not one. */
function recordEnds(text: string): number[] {
  const ends: number[] = [];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      quoted = !quoted; // a doubled quote turns it twice
    } else if (c === "\n" && !quoted) {
      ends.push(i + 1);
    }
  }
  if (ends[ends.length - 1] !== text.length) {
    ends.push(text.length);
  }
  return ends;
}

function breaks(text: string): number {
  return text.split("\n").length - 1;
}

/** Parts of at most so many records each. */
export function divide(text: string, records: number): Part[] {
  const ends = recordEnds(text);
  const headerEnd = ends[0] ?? 0;
  const header = text.slice(0, headerEnd);
  const headerLines = breaks(header);
  const parts: Part[] = [];
  let start = headerEnd;
  let first = headerLines + 1; // line of the file at which the part begins
  for (let i = records; start < text.length; i += records) {
    const end = ends[Math.min(i, ends.length - 1)] ?? text.length;
    const body = text.slice(start, end);
    const from = first;
    parts.push({ text: header + body, lines: ends.slice(1).filter((e) => e > start && e <= end).length, lineOf: (line) => from + line - headerLines - 1 });
    first += breaks(body);
    start = end;
  }
  return parts;
}
