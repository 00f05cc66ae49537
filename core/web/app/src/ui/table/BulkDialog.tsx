import { Button, Group, List, Modal, Progress, Stack, Text } from "@mantine/core";
import { useRef, useState, type ReactNode } from "react";

import { sentence } from "../../api/problem";
import { fill, text } from "../../text";

interface Props<T> {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What will happen to each. */
  children: ReactNode;
  /** Names the deed. */
  action: string;
  danger?: boolean;
  disabled?: boolean;
  rows: T[];
  name: (row: T) => string;
  /** Does it to one; what it throws is listed beside the name. */
  run: (row: T) => Promise<unknown>;
  /** After the last one, or when it was stopped. */
  onDone: () => void;
}

interface Progressing {
  done: number;
  failed: { name: string; why: string }[];
  running: boolean;
  stopped: boolean;
}

/** Does the same to many, one after the other, so that stopping leaves the rest untouched. */
export function BulkDialog<T>({ opened, onClose, title, children, action, danger, disabled, rows, name, run, onDone }: Props<T>) {
  const [state, setState] = useState<Progressing>();
  const stop = useRef(false);
  // The rows of the beginning: the list behind may change while it goes on.
  const [work, setWork] = useState<T[]>([]);

  const begin = async () => {
    stop.current = false;
    setWork(rows);
    const failed: Progressing["failed"] = [];
    let done = 0;
    setState({ done, failed, running: true, stopped: false });
    for (const row of rows) {
      if (stop.current) {
        break;
      }
      try {
        await run(row);
      } catch (error) {
        failed.push({ name: name(row), why: sentence(error) });
      }
      done++;
      setState({ done, failed: [...failed], running: true, stopped: false });
    }
    setState({ done, failed, running: false, stopped: done < rows.length });
    onDone();
  };
  const close = () => {
    if (!state?.running) {
      setState(undefined);
      onClose();
    }
  };

  return (
    <Modal opened={opened} onClose={close} title={title} closeOnClickOutside={!state?.running}>
      <Stack>
        {!state && children}
        {state && (
          <>
            <Progress value={work.length ? (100 * state.done) / work.length : 100} aria-label={title} color={state.failed.length ? "orange" : undefined} />
            <Text size="sm" role="status">
              {state.running
                ? fill(text.table.working, { done: state.done, all: work.length })
                : state.stopped
                  ? fill(text.table.stopped, { done: state.done - state.failed.length, all: work.length, left: work.length - state.done })
                  : fill(text.table.finished, { done: state.done - state.failed.length, all: work.length })}
            </Text>
            {state.failed.length > 0 && (
              <div>
                <Text size="sm" fw={600} c="red">
                  {fill(text.table.failedSome, { n: state.failed.length })}
                </Text>
                <List size="sm" mah={220} style={{ overflow: "auto" }}>
                  {state.failed.map((f) => (
                    <List.Item key={f.name}>
                      <b>{f.name}</b>: {f.why}
                    </List.Item>
                  ))}
                </List>
              </div>
            )}
          </>
        )}
        <Group justify="flex-end">
          {!state && (
            <>
              <Button variant="default" onClick={close}>
                {text.common.cancel}
              </Button>
              <Button color={danger ? "red" : undefined} onClick={() => void begin()} disabled={disabled || rows.length === 0}>
                {action}
              </Button>
            </>
          )}
          {state?.running && (
            <Button variant="default" onClick={() => (stop.current = true)}>
              {text.common.cancel}
            </Button>
          )}
          {state && !state.running && <Button onClick={close}>{text.common.close}</Button>}
        </Group>
      </Stack>
    </Modal>
  );
}
