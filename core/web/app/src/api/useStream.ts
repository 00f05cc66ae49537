import { useDocumentVisibility } from "@mantine/hooks";
import { useEffect, useEffectEvent, useState } from "react";

import { authorizedFetch } from "./fetch";
import { follow, type StreamState } from "./follow";
import type { ServerEvent } from "./events";
import type { paths } from "./schema";

/** The streams of the API. */
export type StreamPath = Extract<keyof paths, `${string}/live`>;

interface Heard {
  onEvents: (events: ServerEvent[]) => void;
  /** The stream begins, or begins again: lists have what happened before. */
  onOpen: () => void;
}

const onHope = (hope: () => void) => {
  window.addEventListener("online", hope);
  return () => window.removeEventListener("online", hope);
};

/** Follows a stream while the page is there and looked at. */
export function useStream(path: StreamPath, enabled: boolean, heard: Heard): StreamState {
  const [state, setState] = useState<StreamState>("connecting");
  const visible = useDocumentVisibility() === "visible";
  const onEvents = useEffectEvent(heard.onEvents);
  const onOpen = useEffectEvent(heard.onOpen);
  useEffect(() => {
    if (!enabled || !visible) {
      return undefined;
    }
    return follow({
      connect: (signal) => authorizedFetch(new Request(location.origin + path, { headers: { Accept: "text/event-stream" }, cache: "no-store", signal })),
      onState: (now) => {
        setState(now);
        if (now === "open") {
          onOpen();
        }
      },
      onEvents,
      onHope,
    });
  }, [path, enabled, visible]);
  return state;
}
