// Server-sent events read with fetch, which can send the token that EventSource cannot.

export interface ServerEvent {
  kind: string;
  id: string;
  data: string;
}

/**
 * Reads the text of a stream piece by piece, cut anywhere, and gives the events that are whole. Comments, and fields
 * that nobody asked for, are left out.
 */
export function eventReader(): (piece: string) => ServerEvent[] {
  let rest = "";
  let kind = "";
  let id = "";
  let data: string[] = [];
  return (piece) => {
    const events: ServerEvent[] = [];
    rest += piece;
    // A \r at the end may be half of \r\n.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) {
          events.push({ kind: kind || "message", id, data: data.join("\n") });
        }
        kind = "";
        data = [];
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") {
        kind = value;
      } else if (field === "data") {
        data.push(value);
      } else if (field === "id") {
        id = value;
      }
    }
    return events;
  };
}
